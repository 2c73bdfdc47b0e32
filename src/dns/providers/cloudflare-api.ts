import { setTimeout as sleep } from 'node:timers/promises'
import { either } from '../../runtime/abort.ts'
import { ProviderRefusedError, ProviderUnreachableError } from './provider.ts'

type Fields = Readonly<Record<string, unknown>>
type Signal = AbortSignal | undefined

/** The few calls that are needed of Cloudflare's v4 API, over fetch. */
export interface CloudflareApi {
  /** All pages. */
  list(path: string, query: Readonly<Record<string, string>>, signal: Signal): Promise<Fields[]>
  /** An identical record that is there already is fine. */
  create(path: string, body: object, signal: Signal): Promise<void>
  patch(path: string, body: object, signal: Signal): Promise<void>
  /** One that is gone already is fine. */
  remove(path: string, signal: Signal): Promise<void>
}

const defaultEndpoint = 'https://api.cloudflare.com/client/v4'
const requestMs = 10_000
const maxAnswerBytes = 1024 * 1024
const perPage = 100
const maxPages = 10
const tries = 3
const longestPauseMs = 10_000

/** Codes of the API. */
const identicalExists = 81_058
const noSuchRecord = 81_044

interface Answer {
  readonly status: number
  readonly retryAfterMs: number
  readonly result: unknown
  readonly pages: number
  readonly errors: readonly { code: number; message: string }[]
}

interface Request {
  readonly method: string
  readonly url: URL
  readonly body?: object
}

export const cloudflareApi = (init: { token: string; endpoint?: string | undefined }): CloudflareApi => {
  // fetch would quote a wrong header value in its error.
  if (!/^[\x21-\x7e]+$/.test(init.token)) {
    throw new ProviderRefusedError('The Cloudflare API token is empty or has characters that no token has.')
  }
  const base = (init.endpoint ?? defaultEndpoint).replace(/\/$/, '')
  const call = (method: string, path: string, signal: Signal, body?: object): Promise<Answer> =>
    send({ method, url: new URL(base + path), ...(body !== undefined && { body }) }, init.token, signal)
  return {
    async list(path, query, signal) {
      const found: Fields[] = []
      for (let page = 1; page <= maxPages; page++) {
        const search = new URLSearchParams({ ...query, page: String(page), per_page: String(perPage) })
        const answer = await call('GET', `${path}?${search}`, signal)
        fine(answer)
        if (Array.isArray(answer.result)) found.push(...answer.result.filter(isFields))
        if (page >= answer.pages) return found
      }
      throw new ProviderRefusedError(`Cloudflare lists more than ${maxPages * perPage} entries for ${path}.`)
    },
    create: async (path, body, signal) => fine(await call('POST', path, signal, body), identicalExists),
    patch: async (path, body, signal) => fine(await call('PATCH', path, signal, body)),
    remove: async (path, signal) => fine(await call('DELETE', path, signal), noSuchRecord)
  }
}

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null

const fine = ({ status, errors }: Answer, alsoFine?: number): void => {
  if (status >= 200 && status < 300 && errors.length === 0) return
  if (alsoFine !== undefined && errors.some(({ code }) => code === alsoFine)) return
  const why = errors.map(({ code, message }) => `${message} (${code})`).join('; ') || `HTTP status ${status}`
  const hint = status === 401 || status === 403 ? ' The token needs Zone > DNS > Edit for this zone.' : ''
  throw new ProviderRefusedError(`Cloudflare refuses: ${why}.${hint}`)
}

/** Repeats what was too fast or failed there, at most three times. */
const send = async (request: Request, token: string, signal: Signal): Promise<Answer> => {
  for (let attempt = 1; ; attempt++) {
    const answer = await once(request, token, signal)
    const passing = answer.status === 429 || answer.status >= 500
    if (!passing) return answer
    if (attempt >= tries) {
      const why = answer.status === 429 ? 'too many requests for this token' : `HTTP status ${answer.status}`
      throw new ProviderUnreachableError(`Cloudflare does not answer as it should: ${why}. Try again later.`)
    }
    await sleep(Math.min(longestPauseMs, answer.retryAfterMs || 500 * 2 ** attempt), undefined, { signal })
  }
}

const once = async ({ method, url, body }: Request, token: string, signal: Signal): Promise<Answer> => {
  const deadline = AbortSignal.timeout(requestMs)
  try {
    const response = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      redirect: 'error',
      signal: either(deadline, signal),
      ...(body !== undefined && { body: JSON.stringify(body) })
    })
    return answerOf(response, parsed(await boundedText(response)))
  } catch (error) {
    signal?.throwIfAborted()
    throw new ProviderUnreachableError(`${url.host} does not answer: ${reasonOf(error, deadline)}.`)
  }
}

const reasonOf = (error: unknown, deadline: AbortSignal): string => {
  if (deadline.aborted) return `nothing within ${requestMs / 1000} s`
  // fetch says only "fetch failed"; the reason is its cause.
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error ? cause.message : String(cause)
}

const boundedText = async (response: Response): Promise<string> => {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > maxAnswerBytes) throw new Error(`the answer is larger than ${maxAnswerBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** An error page of something between is no JSON: then the status says it all. */
const parsed = (text: string): Fields => {
  try {
    const value: unknown = JSON.parse(text)
    return isFields(value) ? value : {}
  } catch {
    return {}
  }
}

const answerOf = (response: Response, body: Fields): Answer => {
  const info = isFields(body['result_info']) ? body['result_info'] : {}
  const errors = Array.isArray(body['errors']) ? body['errors'].filter(isFields) : []
  return {
    status: response.status,
    retryAfterMs: Number(response.headers.get('retry-after') ?? 0) * 1000 || 0,
    result: body['result'],
    pages: typeof info['total_pages'] === 'number' ? info['total_pages'] : 1,
    errors: errors.map(({ code, message }) => ({ code: Number(code), message: String(message) }))
  }
}
