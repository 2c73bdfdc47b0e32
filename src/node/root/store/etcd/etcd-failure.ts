import { z } from 'zod'
import { codeOf } from '../../../../runtime/error-code.ts'
import { reasonOf } from '../../../../runtime/error-message.ts'

/** refused: a member says so, and another one would say the same · unsent: it reached nobody · unknown: it may have been done */
export type Outcome = 'refused' | 'unsent' | 'unknown'

/** A call that no member has answered as it should. */
export class EtcdFailure extends Error {
  override readonly name = 'EtcdFailure'
  readonly outcome: Outcome
  /** The quota is used up. A change may have been made all the same: who reads back sees it. */
  readonly isFull: boolean

  constructor(message: string, { outcome, isFull = false }: { outcome: Outcome; isFull?: boolean }) {
    super(message)
    this.outcome = outcome
    this.isFull = isFull
  }

  /** The same as the last of several attempts; `isRepeated`: one before it may have been done. */
  after(isRepeated: boolean): EtcdFailure {
    if (!isRepeated || this.outcome === 'unknown') return this
    return new EtcdFailure(this.message, { outcome: 'unknown', isFull: this.isFull })
  }
}

interface At {
  /** Somebody may have read the request. */
  readonly isSent: boolean
  readonly at?: string
  readonly status?: number
}

const errorSchema = z.object({ code: z.number().int(), message: z.string() })

/** Codes of gRPC by which a member says that it has not even tried. */
const invalidArgument = 3
const permissionDenied = 7
const unauthenticated = 16

/** Greatest part of a foreign message that is passed on. */
const maxText = 300

/** The failure that an error of the connection, or the body of an answer, stands for. */
export function failureOf(cause: unknown, { isSent, at, status }: At): EtcdFailure {
  if (cause instanceof EtcdFailure) return cause
  const where = at === undefined ? '' : ` at ${at}`
  const answer = errorSchema.safeParse(cause)
  if (status !== undefined) {
    const { code, message } = answer.success ? answer.data : { code: 0, message: `it answers ${status}` }
    return answered(code, message.slice(0, maxText), where)
  }
  const reason = typeof cause === 'string' ? cause : reasonOf(cause)
  // A member that refuses the certificate says so when the handshake is over for this side.
  const isTls = codeOf(cause)?.startsWith('ERR_SSL_') === true
  const hint = isTls
    ? ': see that its certificate and the one in root.store are by authorities that the other side names'
    : ''
  return new EtcdFailure(`etcd${where}: ${reason}${hint}`, { outcome: isSent && !isTls ? 'unknown' : 'unsent' })
}

function answered(code: number, message: string, where: string): EtcdFailure {
  // An append that uses up the last room is done, and answered like one that is not.
  if (message.includes('database space exceeded')) {
    const next = 'compact and defragment it, then disarm its alarm: see "etcd is full" in docs/operations.md'
    return new EtcdFailure(`etcd${where} is full (${message}): ${next}`, { outcome: 'refused', isFull: true })
  }
  if (code === permissionDenied || code === unauthenticated || message.includes('user name is empty')) {
    const next = 'its user needs to read and write what begins with /trustnet/'
    return new EtcdFailure(`etcd${where} lets this process do nothing (${message}): ${next}`, { outcome: 'refused' })
  }
  if (code === invalidArgument) return new EtcdFailure(`etcd${where} refuses: ${message}`, { outcome: 'refused' })
  if (/no leader|leader changed|timed out|context deadline/.test(message)) {
    const next = 'more than half of its members have to run and reach each other'
    return new EtcdFailure(`etcd${where} has no leader, or not in time (${message}): ${next}`, { outcome: 'unknown' })
  }
  return new EtcdFailure(`etcd${where}: ${message}`, { outcome: 'unknown' })
}
