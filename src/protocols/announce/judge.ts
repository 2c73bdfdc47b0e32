import { type Checkpoint, openCheckpoint } from '../../registry/checkpoint.ts'
import type { Signed } from '../../registry/envelope.ts'
import type { Logger } from '../../registry/ports.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { decodeAnnouncement } from './message.ts'

/** accept: new, is passed on. ignore: known, or not for us to say. reject: bad whoever looks at it, the peer that sent it pays. */
export type Verdict = 'accept' | 'ignore' | 'reject'

export interface LogPosition {
  epoch: number
  n: number
}

/** What the validator asks of the registry. */
export interface AnnounceSource {
  readonly networkId: Uint8Array
  readonly replica: {
    readonly head: LogPosition
    readonly checkpoint: Signed<Checkpoint> | undefined
    isMember(publicKey: Uint8Array): boolean
    readonly state: {
      /** The key that signs checkpoints of an epoch; undefined: an epoch that is not known yet. */
      logKeyOf(epoch: number): Uint8Array | undefined
    }
    apply(entries: Uint8Array[], checkpoint?: Uint8Array): Promise<unknown>
  }
  readonly records: {
    put(bytes: Uint8Array, options?: { source?: string; hold?: boolean }): Promise<{ accepted: boolean }>
  }
}

export interface JudgeInit {
  source: AnnounceSource
  limits: ProtocolLimits['announce']
  logger: Logger
  /** false: this author has announced too much lately. */
  allow(author: string): boolean
  /** A verified head above ours, or one of an epoch that we do not know. */
  onNewerHead(checkpoint: Signed<Checkpoint>): void
}

export interface Author {
  text: string
  publicKey: Uint8Array
}

/** Wrong by itself. All else depends on what the looker knows already, and is nobody's fault. */
const faults = new Set(['InvalidEnvelopeError', 'InvalidPayloadError', 'WrongNetworkError'])

/** Expected answers of the registry that are not worth a line in the log. */
const expected = new Set([
  'StaleRecordError',
  'NotMemberError',
  'RevokedError',
  'LimitError',
  'UnsupportedVersionError',
  'ForkError'
])

const isAbove = (a: LogPosition, b: LogPosition): boolean => a.epoch > b.epoch || (a.epoch === b.epoch && a.n > b.n)

/** Judges one gossip message. Never rejects its promise: an error here must not be taken for a fault of the sender. */
export async function judge(data: Uint8Array, author: Author, init: JudgeInit): Promise<Verdict> {
  try {
    return await judgeContent(data, author, init)
  } catch (error) {
    const { name, message } = error as Error
    if (faults.has(name)) return 'reject'
    if (!expected.has(name)) {
      init.logger.error({ peer: author.text, error: message }, 'an announcement could not be judged and is dropped')
    }
    return 'ignore'
  }
}

async function judgeContent(data: Uint8Array, author: Author, init: JudgeInit): Promise<Verdict> {
  const { source, limits } = init
  if (data.length > limits.messageBytes) return 'reject'
  const announcement = decodeAnnouncement(data)
  if (announcement === undefined) return 'ignore'
  if (!source.replica.isMember(author.publicKey) || !init.allow(author.text)) return 'ignore'
  if (announcement.kind === 'head') return await judgeHead(announcement.envelope, init)
  return await judgeRecord(announcement.envelope, source.records)
}

/** The registry verifies signature, membership and (seq, hash), and stores what is newer: one judgement, not two. */
async function judgeRecord(envelope: Uint8Array, records: AnnounceSource['records']): Promise<Verdict> {
  try {
    const { accepted } = await records.put(envelope, { source: 'gossip', hold: false })
    return accepted ? 'accept' : 'ignore'
  } catch (error) {
    // gossipsub asks once: a record that overtakes its admission is kept waiting here, without holding up the verdict.
    if ((error as Error).name === 'NotMemberError') void records.put(envelope, { source: 'gossip' }).catch(() => {})
    throw error
  }
}

async function judgeHead(envelope: Uint8Array, { source, onNewerHead }: JudgeInit): Promise<Verdict> {
  const { replica } = source
  const checkpoint = openCheckpoint(envelope, source.networkId)
  const logKey = replica.state.logKeyOf(checkpoint.value.epoch)
  if (logKey === undefined) {
    // Anybody can sign a checkpoint of an epoch that does not exist: worth a question to a registry, not worth passing on.
    if (checkpoint.value.epoch > replica.head.epoch) onNewerHead(checkpoint)
    return 'ignore'
  }
  if (Buffer.compare(logKey, checkpoint.signer) !== 0) return 'reject'
  if (isAbove(checkpoint.value, replica.head)) {
    onNewerHead(checkpoint)
    return 'accept'
  }
  if (isAbove(replica.head, checkpoint.value)) return await checkForFork(envelope, replica, 'ignore')
  const fresher = checkpoint.value.timeMs > (replica.checkpoint?.value.timeMs ?? 0)
  return await checkForFork(envelope, replica, fresher ? 'accept' : 'ignore')
}

/** Every node must see the proof of a fork, so a checkpoint that contradicts our history is passed on. */
async function checkForFork(envelope: Uint8Array, replica: AnnounceSource['replica'], otherwise: Verdict) {
  try {
    await replica.apply([], envelope)
    return otherwise
  } catch (error) {
    if ((error as Error).name === 'ForkError') return 'accept'
    throw error
  }
}
