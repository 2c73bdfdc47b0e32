import { TypedEventEmitter } from 'main-event'
import { equals } from 'uint8arrays/equals'
import { keyId } from '../../identity/key-id.ts'
import { peerIdText } from '../../identity/keys.ts'
import { inBackground } from '../../runtime/background.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { InvalidEnvelopeError, LimitError } from '../../runtime/errors.ts'
import type { Replica } from '../log/replica.ts'
import { compareCheckpoints, comparePositions } from '../log/state/position.ts'
import { type Checkpoint, openCheckpoint, openCheckpointAsync } from '../objects/checkpoint.ts'
import type { Signed } from '../objects/envelope.ts'
import type { Meta } from '../store/node-values.ts'
import { type Cosignature, isCosigned, readCosignature } from './cosignature.ts'
import { isWitness, witnessesOf } from './entitled.ts'
import { HeldWords, maxCosignatures } from './held-words.ts'
import { readNoteLines } from './note-lines.ts'
import { RecentCheckpoints } from './recent-checkpoints.ts'
import { type StoredWord, storedWords, storeWords } from './stored-words.ts'
import type { CosignatureEvents, CosignedCheckpoint, Witnessed } from './words.ts'

/** Words that come close together are told together; where the policy needs none, nobody waits for them. */
const tellMs = 20
const unneededMs = 1_000
/** Written so often at most; what a crash loses is heard again from the witnesses. */
const saveMs = 5_000

export interface CosignaturesInit {
  replica: Replica
  meta: Meta
  clock: Clock
}

/** Cosignatures of this network, the newest of each witness. Nothing is taken of keys that are not entitled, and nothing that is not of the history that is held. */
export class Cosignatures {
  readonly events = new TypedEventEmitter<CosignatureEvents>()
  readonly #replica: Replica
  readonly #meta: Meta
  readonly #clock: Clock
  readonly #words: HeldWords
  readonly #recent = new RecentCheckpoints()
  /** Keys of witnesses that stand for two histories. */
  readonly #liars = new Set<string>()
  #telling: NodeJS.Timeout | undefined
  #saving: NodeJS.Timeout | undefined
  #isClosed = false

  constructor({ replica, meta, clock }: CosignaturesInit) {
    this.#replica = replica
    this.#meta = meta
    this.#clock = clock
    this.#words = new HeldWords(replica)
    for (const word of storedWords(meta)) this.#load(word)
    if (replica.checkpoint !== undefined) this.#recent.add(replica.checkpoint)
    replica.events.addEventListener('checkpoint', ({ detail }) => this.#recent.add(detail.checkpoint))
    replica.events.addEventListener('reset', () => this.#forgetOthers())
    for (const type of ['enforced', 'lifted'] as const) {
      replica.events.addEventListener(type, () => this.#words.forget())
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#telling)
    if (this.#saving === undefined) return
    clearTimeout(this.#saving)
    await this.#save()
  }

  /** Says whose words are needed beside those of the witnesses of now. */
  ask(asked: ReadonlySet<string>): void {
    this.#words.ask(asked)
  }

  /** True for a key whose words count: a witness of now, or one that has to stand for the entries by which it is none any more. */
  isEntitled(publicKey: Uint8Array): boolean {
    return isWitness(this.#replica.state, publicKey) || this.#words.isAsked(publicKey)
  }

  isAsked(publicKey: Uint8Array): boolean {
    return this.#words.isAsked(publicKey)
  }

  /** It was verified before it was stored; the log that stands in the store by now may be another. */
  #load({ checkpoint: envelope, cosignature, heardMs }: StoredWord): void {
    try {
      const checkpoint = openCheckpoint(envelope, this.#replica.networkId)
      if (this.#isHeld(checkpoint)) this.#words.put(checkpoint, readCosignature(cosignature), heardMs)
    } catch {
      // The disk has changed it: it is heard again.
    }
  }

  /** Nothing after the close: the store is gone then, and words are heard again. */
  #saveSoon(): void {
    if (this.#isClosed) return
    this.#saving ??= setTimeout(() => inBackground(this.#save(), 'keeping what witnesses have said'), saveMs).unref()
  }

  async #save(): Promise<void> {
    this.#saving = undefined
    const words = this.#words.values().map(({ checkpoint, cosignature, heardMs }) => ({
      checkpoint: checkpoint.bytes,
      cosignature: cosignature.bytes,
      heardMs
    }))
    await storeWords(this.#meta, words)
  }

  /** Words about a history that a new epoch has cut off are of no use any more. */
  #forgetOthers(): void {
    this.#words.dropUnless((checkpoint) => this.#isHeld(checkpoint))
  }

  /**
   * Takes cosignatures of a checkpoint, both as somebody sent them. What is known, of no witness, or of a place that is not held is left out.
   * Gives how many were new.
   * @throws InvalidEnvelopeError a witness has not signed it; InvalidPayloadError, LimitError and what opening a checkpoint throws
   */
  async take(envelope: Uint8Array, cosignatures: readonly Uint8Array[]): Promise<number> {
    if (cosignatures.length === 0) return 0
    const news = this.#fromWitnesses(cosignatures)
    if (news.length === 0) return 0
    const checkpoint = this.#recent.ofBytes(envelope) ?? (await openCheckpointAsync(envelope, this.#replica.networkId))
    return await this.#takeAll(checkpoint, news)
  }

  /**
   * Takes cosignatures of a checkpoint that is known here by its hash; undefined: it is not.
   * @throws as take
   */
  async takeOf(hash: Uint8Array, cosignatures: readonly Uint8Array[]): Promise<number | undefined> {
    const checkpoint = this.#recent.ofHash(hash)
    return checkpoint && (await this.#takeAll(checkpoint, this.#fromWitnesses(cosignatures)))
  }

  /**
   * Takes the lines that witnesses have added to a note of one of the last checkpoints, as their keys; undefined: it is a note of none of them.
   * @throws InvalidEnvelopeError a witness has not signed it
   */
  async takeNote(note: string): Promise<{ checkpoint: Signed<Checkpoint>; witnesses: Uint8Array[] } | undefined> {
    const former = this.#words.values().map(({ cosignature }) => cosignature.witness)
    const keys = [...witnessesOf(this.#replica.state), ...former.filter((each) => this.isAsked(each))]
    for (const checkpoint of this.#recent.newestFirst()) {
      const words = readNoteLines(note, checkpoint, keys)
      if (words === undefined) continue
      await this.#takeAll(checkpoint, words)
      return { checkpoint, witnesses: words.map(({ witness }) => witness) }
    }
    return undefined
  }

  #fromWitnesses(given: readonly Uint8Array[]): Cosignature[] {
    if (given.length > maxCosignatures) {
      throw new LimitError(`more than ${maxCosignatures} cosignatures of one checkpoint are not looked at`)
    }
    return given.map(readCosignature).filter(({ witness }) => this.isEntitled(witness))
  }

  async #takeAll(checkpoint: Signed<Checkpoint>, cosignatures: readonly Cosignature[]): Promise<number> {
    const agrees = this.#agrees(checkpoint)
    if (agrees === false) await Promise.all(cosignatures.map((each) => this.#accuse(checkpoint, each)))
    if (agrees !== true) return 0
    const taken = await Promise.all(cosignatures.map((each) => this.#takeOne(checkpoint, each)))
    return taken.filter((isNew) => isNew).length
  }

  async #takeOne(checkpoint: Signed<Checkpoint>, cosignature: Cosignature): Promise<boolean> {
    const { witness } = cosignature
    if (!this.#isNews(witness, checkpoint)) return false
    if (!(await isCosigned(checkpoint, cosignature))) {
      const { n } = checkpoint.value
      throw new InvalidEnvelopeError(`the cosignature of ${peerIdText(witness)} is not of the checkpoint at ${n}`)
    }
    // Another word of it, or an epoch that ends this history, may have come meanwhile.
    if (!this.#isNews(witness, checkpoint) || !this.#isHeld(checkpoint)) return false
    this.#words.put(checkpoint, cosignature, this.#clock.now())
    this.#saveSoon()
    this.events.safeDispatchEvent('word', { detail: undefined })
    this.#tellSoon()
    return true
  }

  #isNews(witness: Uint8Array, { value }: Signed<Checkpoint>): boolean {
    const held = this.#words.of(witness)
    return held === undefined || compareCheckpoints(value, held.checkpoint.value) > 0
  }

  /** Tells of a witness that stands for this checkpoint of another history and, at its place or behind it, for the one that is held. */
  async #accuse(checkpoint: Signed<Checkpoint>, cosignature: Cosignature): Promise<void> {
    const { witness } = cosignature
    const key = keyId(witness)
    const held = this.#words.of(witness)
    if (held === undefined || this.#liars.has(key)) return
    const { epoch, n } = held.checkpoint.value
    if (epoch !== checkpoint.value.epoch || n < checkpoint.value.n) return
    if (!(await isCosigned(checkpoint, cosignature)) || this.#liars.has(key)) return
    this.#liars.add(key)
    const other = { checkpoint, cosignature }
    this.events.safeDispatchEvent('lie', { detail: { witness, held, other } })
  }

  /** Compares a checkpoint by the log key of its epoch with the history that is held; undefined: that does not say what stood at its place. */
  #agrees({ value, signer }: Signed<Checkpoint>): boolean | undefined {
    const { state, head } = this.#replica
    const { epoch, n, headHash } = value
    if (n > head.n || !state.keys.isKeyOf(epoch, signer) || !state.keys.isValidAt(epoch, n)) return undefined
    const hash = this.#replica.linkHash(n)
    return hash && equals(hash, headHash)
  }

  #isHeld(checkpoint: Signed<Checkpoint>): boolean {
    return this.#agrees(checkpoint) === true
  }

  #tellSoon(): void {
    if (this.#isClosed) return
    const { policy } = this.#replica.state
    const delayMs = policy.witnesses > 0 ? tellMs : unneededMs
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined
      this.events.safeDispatchEvent('cosigned', { detail: undefined })
    }, delayMs).unref()
  }

  /** Cosignatures of one checkpoint. */
  of(checkpoint: Signed<Checkpoint>): Uint8Array[] {
    return this.#words.about(checkpoint)
  }

  /** The word of one witness. */
  by(witness: Uint8Array): CosignedCheckpoint | undefined {
    const word = this.#words.of(witness)
    return word && { checkpoint: word.checkpoint, cosignatures: [word.cosignature.bytes] }
  }

  /** As of the words that are held. */
  since(revision: number): { checkpoints: CosignedCheckpoint[]; revision: number } {
    return this.#words.since(revision)
  }

  /** The newest checkpoint for which at least so many witnesses stand, of these PeerIds or of those of now; undefined: there is none. */
  witnessed(needed: number, among?: readonly string[]): Witnessed | undefined {
    const counted =
      among === undefined ? this.#words.present() : this.#words.all().filter(({ id }) => among.includes(id))
    const words = counted.toSorted((a, b) => compareCheckpoints(b.checkpoint.value, a.checkpoint.value))
    const last = words[needed - 1]
    if (last === undefined) return undefined
    const { checkpoint } = last
    const heardMs = Math.max(...words.slice(0, needed).map((word) => word.heardMs))
    return {
      checkpoint,
      // The root signs a fresher one for the same place each minute: words about the last one stand for it, too.
      by: this.standingFor(checkpoint, words),
      of: witnessesOf(this.#replica.state).length,
      afterMs: Math.max(0, heardMs - checkpoint.value.timeMs)
    }
  }

  /** Number of witnesses that stand for a checkpoint, of these words or of all. */
  standingFor({ value }: Signed<Checkpoint>, words = this.#words.present()): number {
    return words.filter((word) => comparePositions(word.checkpoint.value, value) >= 0).length
  }
}
