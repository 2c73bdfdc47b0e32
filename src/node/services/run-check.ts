import { get } from 'node:http'
import { connect } from 'node:net'
import { either } from '../../runtime/abort.ts'
import { codeOf } from '../../runtime/error-code.ts'

export interface CheckResult {
  readonly passed: boolean
  /** For people: `answered 200`. */
  readonly detail: string
}

/** Time in which a service must answer. */
const answerMs = 5_000

/** Checks a service of this machine once. It ends with the first line of an answer, whatever the service goes on to send, and after 5 s at the latest. */
export async function runCheck(
  { check, port, timeoutMs = answerMs }: { check: string; port: number; timeoutMs?: number },
  signal: AbortSignal
): Promise<CheckResult> {
  const late = AbortSignal.timeout(timeoutMs)
  const ended = either(signal, late)
  try {
    return await (check === 'tcp' ? connects(port, ended) : answers(check, ended))
  } catch (error) {
    signal.throwIfAborted()
    return { passed: false, detail: late.aborted ? `no answer within ${timeoutMs / 1000} s` : reasonFor(error) }
  }
}

const reasonFor = (error: unknown): string => {
  const code = codeOf(error)
  if (code === 'ECONNREFUSED') return 'nothing listens there'
  if (code === 'ECONNRESET') return 'it closed the connection'
  return code === undefined || !code.startsWith('HPE_') ? (code ?? 'no answer') : 'it speaks no HTTP'
}

const connects = (port: number, signal: AbortSignal): Promise<CheckResult> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: '::1', port, signal })
    socket.once('connect', () => {
      socket.destroy()
      resolve({ passed: true, detail: 'takes connections' })
    })
    socket.once('error', reject)
  })

/** A redirection passes and is not followed: the service answers, and where it points is not its own. */
const answers = (url: string, signal: AbortSignal): Promise<CheckResult> =>
  new Promise((resolve, reject) => {
    const request = get(url, { agent: false, signal, headers: { 'user-agent': 'trustnet' } }, (response) => {
      // The rest behind the head is nobody's concern, and may be endless.
      response.destroy()
      const { statusCode = 0 } = response
      resolve({ passed: statusCode >= 200 && statusCode < 400, detail: `answered ${statusCode}` })
    })
    request.on('error', reject)
    // All that Node tells of an answer that changes the protocol.
    request.once('close', () => reject(new Error('no answer')))
  })
