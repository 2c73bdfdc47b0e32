import { AUTHORITATIVE_ANSWER, encode, type SrvAnswer } from 'dns-packet'
import { concat } from 'uint8arrays/concat'
import { fromString } from 'uint8arrays/from-string'
import { toString as textOf } from 'uint8arrays/to-string'
import { decodeBounded } from '../../dns/bounded-decode.ts'
import { sha256 } from '../../identity/hash.ts'

/** A packet of a member that was heard on a link. */
export type Heard = { readonly kind: 'asks' } | Listener

/** Somebody of the network who says that it listens there. Nothing of it is proven. */
export interface Listener {
  readonly kind: 'listens'
  /** Random, of one run of one process. */
  readonly instance: string
  readonly port: number
}

const tagDomain = 'trustnet/link/v1'
const tagDigits = 20
const service = '_trustnet._tcp.local'
/** Lifetime of a record that names a host (RFC 6762). */
const ttlSeconds = 120
/** Ours have some 150 bytes. */
const maxBytes = 512
const instanceShape = /^[0-9a-f]{16}$/
const maxPort = 65_535

/** The word for a network on a link: whoever knows the network id recognises it, and nobody finds the id in it. */
export const linkTag = (networkId: Uint8Array): string =>
  textOf(sha256(concat([fromString(tagDomain), networkId])), 'base16').slice(0, tagDigits)

const nameOf = (tag: string): string => `_${tag}._sub.${service}`

/** Asks who of that network is on the link. */
export const question = (tag: string): Buffer =>
  encode({ type: 'query', questions: [{ type: 'PTR', name: nameOf(tag) }] })

/** Says that somebody of that network listens at that port of the address from which this comes. */
export const announcement = (tag: string, { instance, port }: Pick<Listener, 'instance' | 'port'>): Buffer => {
  const name = `${instance}.${service}`
  const target = { port, target: `${instance}.local`, priority: 0, weight: 0 }
  return encode({
    type: 'response',
    flags: AUTHORITATIVE_ANSWER,
    answers: [
      { type: 'PTR', name: nameOf(tag), ttl: ttlSeconds, data: name },
      { type: 'SRV', name, ttl: ttlSeconds, data: target }
    ]
  })
}

/** Tells whether it may be of this network. Anything else, of which a link has much, is neither decoded nor counted. */
export const mayBeOf = (bytes: Buffer, tag: string): boolean => bytes.length <= maxBytes && bytes.includes(`_${tag}`)

/** Reads a packet of this network; undefined for every other one. */
export const readPacket = (bytes: Buffer, tag: string): Heard | undefined => {
  if (!mayBeOf(bytes, tag)) return undefined
  try {
    const { type, questions = [], answers = [] } = decodeBounded(bytes)
    const name = nameOf(tag)
    if (type === 'query') return questions.some((each) => each.name === name) ? { kind: 'asks' } : undefined
    const pointer = answers.find((each) => each.type === 'PTR' && each.name === name)
    const server = answers.find((each): each is SrvAnswer => each.type === 'SRV')
    if (pointer === undefined || server === undefined) return undefined
    const [instance = ''] = server.name.split('.', 1)
    const { port } = server.data
    const isWhole = instanceShape.test(instance) && server.name === `${instance}.${service}`
    return isWhole && port > 0 && port <= maxPort ? { kind: 'listens', instance, port } : undefined
  } catch {
    return undefined
  }
}
