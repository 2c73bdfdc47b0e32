import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIPv6 } from 'node:net'
import { formatIp6, parseIp6 } from '../../address/ipv6.ts'
import { prefix64 } from '../../address/prefix.ts'
import { Gcra } from '../../protocols/engine/rate-limiter.ts'
import { httpLimits } from './limits.ts'

/** Reason why a request is not looked at. */
export interface Refusal {
  status: number
  code: string
  message: string
  headers?: Readonly<Record<string, string>>
}

/** Headers of every answer: nothing from outside, in no frame, and read by no page of another origin. */
export const safetyHeaders: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store'
}

interface GuardInit {
  /** undefined: requests need none. */
  token: string | undefined
  /** Names of this machine by which it may be asked, in lower case. */
  hosts: readonly string[]
}

/** Decides whether a request is looked at, from its head alone and before anything is made of it. */
export class Guard {
  readonly #token: Buffer | undefined
  readonly #hosts: ReadonlySet<string | undefined>
  readonly #rate = new Gcra(httpLimits.requests, { maxKeys: 1024 })

  constructor({ token, hosts }: GuardInit) {
    this.#token = token === undefined ? undefined : digest(token)
    this.#hosts = new Set(['localhost', ...hosts])
  }

  refusal(request: IncomingMessage): Refusal | undefined {
    return (
      this.#wrongHost(request) ??
      wrongSite(request) ??
      this.#wrongToken(request) ??
      wrongMethod(request) ??
      tooLong(request) ??
      this.#tooMany(request)
    )
  }

  /** Lets through names that no page of another site can have: with any other one a browser was led here by somebody's DNS. */
  #wrongHost({ headers: { host = '' }, socket }: IncomingMessage): Refusal | undefined {
    const [, bracketed, name] = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::\d{1,5})?$/i.exec(host) ?? []
    const own = ['::1', canonical(socket.localAddress ?? '')]
    const isOwn = bracketed === undefined ? this.#hosts.has(name?.toLowerCase()) : own.includes(canonical(bracketed))
    if (isOwn) return undefined
    const message =
      'The request is for another host. Use the address that this node listens on, localhost, or a name in http.hosts.'
    return { status: 421, code: 'WRONG_HOST', message }
  }

  #tooMany({ socket: { remoteAddress = '' } }: IncomingMessage): Refusal | undefined {
    const waitMs = this.#rate.take(prefix64(remoteAddress) ?? remoteAddress)
    if (waitMs === 0) return undefined
    const headers = { 'retry-after': String(Math.ceil(waitMs / 1000)) }
    return { status: 429, code: 'RATE_LIMITED', message: 'Too many requests. Ask again in a second.', headers }
  }

  #wrongToken({ headers: { authorization } }: IncomingMessage): Refusal | undefined {
    if (this.#token === undefined) return undefined
    const given = tokenOf(authorization)
    if (given !== undefined && timingSafeEqual(digest(given), this.#token)) return undefined
    const what = given === undefined ? 'has no token' : 'has a wrong token'
    return {
      status: 401,
      code: 'UNAUTHORIZED',
      message: `The request ${what}. Send the line in http.tokenFile as Authorization: Bearer TOKEN, or as the password of any user.`,
      headers: { 'www-authenticate': 'Bearer realm="trustnet", Basic realm="trustnet", charset="UTF-8"' }
    }
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** The token of a program, or the password that a browser asks its user for. */
const tokenOf = (authorization = ''): string | undefined => {
  const [, scheme = '', value = ''] = /^(Bearer|Basic) +(\S+)$/i.exec(authorization.trim()) ?? []
  if (scheme === '') return undefined
  if (scheme.toLowerCase() === 'bearer') return value
  const pair = Buffer.from(value, 'base64').toString('utf8')
  return pair.slice(pair.indexOf(':') + 1)
}

const canonical = (text: string): string => {
  const bytes = isIPv6(text) ? parseIp6(text) : undefined
  return bytes === undefined ? text : formatIp6(bytes)
}

const sites = ['cross-site', 'same-site']

/** A page of another origin reads no answer, but some questions make this node dial. Whoever follows a link to here is let in. */
const wrongSite = ({ headers }: IncomingMessage): Refusal | undefined =>
  !sites.includes(headers['sec-fetch-site'] ?? '') || headers['sec-fetch-dest'] === 'document'
    ? undefined
    : { status: 403, code: 'WRONG_SITE', message: 'The request comes from a page of another site: it is not answered.' }

const wrongMethod = ({ method = '' }: IncomingMessage): Refusal | undefined =>
  method === 'GET' || method === 'HEAD'
    ? undefined
    : {
        status: 405,
        code: 'METHOD_NOT_ALLOWED',
        message: 'This server only answers questions: use GET. Changes are made with the commands of trustnet.',
        headers: { allow: 'GET, HEAD' }
      }

const tooLong = ({ url = '' }: IncomingMessage): Refusal | undefined =>
  url.length <= httpLimits.urlChars
    ? undefined
    : { status: 414, code: 'TOO_LARGE', message: `Path and query are longer than ${httpLimits.urlChars} characters.` }
