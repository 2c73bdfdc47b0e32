import { closeSync, constants, existsSync, openSync, renameSync } from 'node:fs'
import { equals } from 'uint8arrays/equals'
import { createKey, loadKey } from '../../identity/key-file.ts'
import type { SigningKey } from '../../identity/keys.ts'
import { withReplica } from '../../registry/log/epochs/new-epoch.ts'
import type { NetworkState } from '../../registry/log/state/network-state.ts'
import { overwriteOpen, syncFolderOf } from '../../runtime/files/overwrite.ts'

type Members = Pick<NetworkState, 'member' | 'isRevoked'>

export interface Doubt {
  state: Members
  /** Word of the registry that was asked last. */
  refusal: Error | undefined
  nowMs: number
}

/** A word from outside makes a node change its key at most so often. */
const trialMs = 30_000

/**
 * The way of a node from its key to the next one. Beside the key file lies the next key until the log says which of the two is the member; the
 * next one takes the place of the file then, in one step. So a process that was killed at any moment finds one key that is valid.
 */
export class KeyRotation {
  readonly #path: string
  #key: SigningKey
  /** The key before one that is tried. */
  #before: SigningKey
  #next: SigningKey | undefined
  #triedAt = Number.NEGATIVE_INFINITY

  /** @throws KeyFileError */
  constructor(path: string, key: SigningKey) {
    this.#path = path
    this.#key = key
    this.#before = key
    if (existsSync(this.#nextPath)) this.#next = loadKey(this.#nextPath)
  }

  get #nextPath(): string {
    return `${this.#path}.next`
  }

  /** The node's own key now. */
  get key(): SigningKey {
    return this.#key
  }

  use(key: SigningKey): void {
    this.#before = this.#key
    this.#key = key
  }

  /** undefined: no rotation has begun, or the last one is over. */
  get next(): SigningKey | undefined {
    return this.#next
  }

  /** Makes the next key. One that an unfinished rotation has left is taken again: its request may still be on its way. @throws KeyFileError */
  begin(): SigningKey {
    this.#next ??= createKey(this.#nextPath)
    return this.#next
  }

  /** True while the key is one that the log here does not name yet: others said that the one before is void. */
  get isTrial(): boolean {
    return this.#next !== undefined && equals(this.#key.publicKey, this.#next.publicKey)
  }

  /** Takes the key that the store names. @throws StoreError */
  async startFrom(store: string): Promise<void> {
    const next = this.#next
    if (next === undefined || !existsSync(store)) return
    await withReplica({ path: store }, async ({ state }) => {
      if (this.settle(state)) this.use(next)
    })
  }

  /** Puts the next key in the place of the one before, once the log says so. Gives whether it did. */
  settle(state: Members): boolean {
    if (this.#next === undefined || state.member(this.#next.publicKey) === undefined) return false
    const before = existsSync(this.#path) ? openSync(this.#path, constants.O_RDWR | constants.O_NOFOLLOW) : undefined
    renameSync(this.#nextPath, this.#path)
    if (before !== undefined) {
      overwriteOpen(before)
      closeSync(before)
    }
    syncFolderOf(this.#path)
    this.#next = undefined
    return true
  }

  /**
   * The key to go on with instead; undefined: this one. The log decides; before it has come here, the word of a registry that the
   * key is revoked, or none of a member, is tried.
   */
  instead({ state, refusal, nowMs }: Doubt): SigningKey | undefined {
    const next = this.#next
    if (next === undefined) return undefined
    const { isTrial } = this
    if (!isTrial && state.member(next.publicKey) !== undefined) return next
    const isDoubted = isTrial
      ? refusal?.name === 'NotMemberError'
      : refusal?.name === 'RevokedError' && !state.isRevoked(this.#key.publicKey)
    if (!isDoubted || nowMs - this.#triedAt < trialMs) return undefined
    this.#triedAt = nowMs
    return isTrial ? this.#before : next
  }
}
