import { equals } from 'uint8arrays/equals'
import type { Replica } from '../../registry/log/replica.ts'
import type { NetworkState } from '../../registry/log/state/network-state.ts'
import { type Checkpoint, openCheckpointAsync } from '../../registry/objects/checkpoint.ts'
import type { Signed } from '../../registry/objects/envelope.ts'
import type { Records } from '../../registry/records/records.ts'
import type { Cosignatures } from '../../registry/witness/cosignatures.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import {
  ForkError,
  InvalidEnvelopeError,
  InvalidPayloadError,
  LimitError,
  LogMismatchError,
  NotMemberError,
  RevokedError,
  StaleRecordError,
  UnsupportedVersionError,
  WrongNetworkError
} from '../../runtime/errors.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { decodeAnnouncement, decodeCosigned } from './message.ts'

/** accept: new, is passed on. ignore: known, or not for us to say. reject: bad whoever looks at it, the peer that sent it pays. */
export type Verdict = 'accept' | 'ignore' | 'reject'

/** The parts of the registry that the validator asks. */
export interface AnnounceSource {
  readonly networkId: Uint8Array
  readonly replica: Pick<Replica, 'head' | 'checkpoint' | 'isMember' | 'logKeyOf' | 'observe'> & {
    /** Intervals grow with the network. */
    readonly state: Pick<NetworkState, 'memberCount'>
  }
  readonly records: Pick<Records, 'put'>
  readonly cosignatures: Pick<Cosignatures, 'takeOf'>
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
const faults = [InvalidEnvelopeError, InvalidPayloadError, WrongNetworkError] as const

/** Expected answers of the registry that are not worth a line in the log. */
const expected = [
  StaleRecordError,
  NotMemberError,
  RevokedError,
  LimitError,
  UnsupportedVersionError,
  LogMismatchError,
  ForkError
] as const

const isOneOf = (error: unknown, classes: readonly (abstract new (...args: never) => Error)[]): boolean =>
  classes.some((each) => error instanceof each)

/** Judges one gossip message. Never rejects its promise: an error here must not be taken for a fault of the sender. */
export async function judge(data: Uint8Array, author: Author, init: JudgeInit): Promise<Verdict> {
  try {
    return await judgeContent(data, author, init)
  } catch (error) {
    if (isOneOf(error, faults)) return 'reject'
    if (!isOneOf(error, expected)) {
      init.logger.error(
        { peer: author.text, error: String(error) },
        'an announcement could not be judged and is dropped'
      )
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
  if (announcement.kind === 'cosignatures') return await judgeCosigned(announcement.envelope, source)
  return await judgeRecord(announcement.envelope, author, source.records)
}

/** Known already, of no witness, or of a checkpoint that is not known here: nothing to pass on. */
async function judgeCosigned(bytes: Uint8Array, { cosignatures }: AnnounceSource): Promise<Verdict> {
  const { hash, cosignatures: words } = decodeCosigned(bytes)
  const news = await cosignatures.takeOf(hash, words)
  return news === undefined || news === 0 ? 'ignore' : 'accept'
}

/** The registry verifies signature, membership and (seq, hash), and stores what is newer: one judgement, not two. */
async function judgeRecord(
  envelope: Uint8Array,
  { text: asker }: Author,
  records: AnnounceSource['records']
): Promise<Verdict> {
  try {
    const { accepted } = await records.put(envelope, { source: 'gossip', asker, hold: false })
    return accepted ? 'accept' : 'ignore'
  } catch (error) {
    // gossipsub asks once: a record that overtakes its admission is kept waiting here, without holding up the verdict.
    if (error instanceof NotMemberError) records.put(envelope, { source: 'gossip', asker }).catch(() => {})
    throw error
  }
}

async function judgeHead(envelope: Uint8Array, init: JudgeInit): Promise<Verdict> {
  const { source } = init
  const { replica } = source
  const checkpoint = await openCheckpointAsync(envelope, source.networkId)
  const { value, signer } = checkpoint
  const logKey = replica.logKeyOf(value.epoch)
  if (logKey === undefined) {
    // Anybody can sign a checkpoint of an epoch that does not exist: worth a question to a registry, not worth passing on.
    if (value.epoch > replica.head.epoch) init.onNewerHead(checkpoint)
    return 'ignore'
  }
  if (!equals(logKey, signer)) return 'reject'
  const isFresher = value.n === replica.head.n && value.timeMs > (replica.checkpoint?.value.timeMs ?? 0)
  try {
    const judged = await replica.observe(envelope)
    if (judged === 'newer') init.onNewerHead(checkpoint)
    return judged === 'newer' || isFresher ? 'accept' : 'ignore'
  } catch (error) {
    // Every node must see the proof of a fork, so a checkpoint that contradicts our history is passed on.
    if (error instanceof ForkError) return 'accept'
    throw error
  }
}
