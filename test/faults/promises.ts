import { fromString } from 'uint8arrays/from-string'
import { toString as text } from 'uint8arrays/to-string'
import type { SigningKey } from '../../src/identity/keys.ts'
import { openRegistry, type Registry } from '../../src/registry/registry.ts'
import { openDatabase } from '../../src/registry/store/database.ts'
import { keys } from '../simulation/stage.ts'

const bytes = (hex: string | undefined): Uint8Array => fromString(hex ?? '', 'base16')

/** Keys of the root whose store is judged. */
export interface RootKeys {
  readonly nodeKey: SigningKey
  readonly logKey: SigningKey
}

export const stageKeys: RootKeys = { nodeKey: keys.root, logKey: keys.log }

/** What a loaded registry acknowledged over all its lives, line by line, and whether a store keeps it. */
export class Promises {
  readonly #keys: RootKeys
  readonly #signed = new Map<string, string>()
  readonly #members = new Set<string>()
  readonly #revoked = new Set<string>()
  /** They asked to be let go, and may be by now. */
  readonly #leaving = new Set<string>()
  readonly #ended = new Set<string>()
  readonly #records = new Map<string, number>()
  #rest = ''
  lines = 0

  constructor(root: RootKeys) {
    this.#keys = root
  }

  /** Takes what the process wrote; the line that its end cut off does not count. */
  take(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#line(line)
  }

  /** The process is dead. */
  end(): void {
    this.#rest = ''
  }

  /** As it is now, whatever comes later. */
  copy(): Promises {
    const copy = new Promises(this.#keys)
    for (const [position, hash] of this.#signed) copy.#signed.set(position, hash)
    for (const key of this.#members) copy.#members.add(key)
    for (const key of this.#revoked) copy.#revoked.add(key)
    for (const key of this.#leaving) copy.#leaving.add(key)
    for (const key of this.#ended) copy.#ended.add(key)
    for (const [key, seq] of this.#records) copy.#records.set(key, seq)
    return copy
  }

  #line(line: string): void {
    this.lines++
    const [what, first = '', second = '', third = ''] = line.split(' ')
    if (what === 'member') this.#members.add(first)
    else if (what === 'revoked') this.#revoked.add(first)
    else if (what === 'leaving') this.#leaving.add(first)
    else if (what === 'ended') this.#ended.add(first)
    else if (what === 'record') this.#records.set(first, Math.max(Number(second), this.#records.get(first) ?? 0))
    else if (what === 'signed') this.#sign(`${first}:${second}`, third)
  }

  #sign(position: string, hash: string): void {
    const before = this.#signed.get(position)
    if (before !== undefined && before !== hash) throw new Error(`two heads were signed for ${position}`)
    this.#signed.set(position, hash)
  }

  /** Opens the store as a registry that starts would, and looks for all that was acknowledged so far. @throws for what is missing */
  async judge(path: string): Promise<void> {
    const db = openDatabase(path)
    const found = String(db.pragma('integrity_check', { simple: true }))
    db.close()
    if (found !== 'ok') throw new Error(`the store is damaged: ${found}`)
    const { nodeKey, logKey } = this.#keys
    await using registry = await openRegistry({ path, role: 'root', nodeKey, root: { logKey } })
    for (const [position, hash] of this.#signed) {
      const held = registry.replica.linkHash(Number(position.split(':')[1]))
      if (held === undefined || text(held, 'base16') !== hash)
        throw new Error(`entry ${position} is not the one signed`)
    }
    for (const key of this.#members) this.#judgeMember(registry, key)
    for (const key of this.#revoked) {
      if (!registry.replica.state.isRevoked(bytes(key))) throw new Error(`the revocation of ${key} is lost`)
    }
    for (const key of this.#ended) {
      if (registry.replica.isMember(bytes(key))) throw new Error(`the end of the membership of ${key} is lost`)
    }
  }

  #judgeMember({ records, replica }: Registry, key: string): void {
    const publicKey = bytes(key)
    // Asked for and done, although nobody was told any more.
    if (replica.state.isRevoked(publicKey) || this.#leaving.has(key)) return
    if (!replica.isMember(publicKey)) throw new Error(`the admission of ${key} is lost`)
    const seq = this.#records.get(key) ?? 0
    const held = records.get(publicKey)?.seq ?? 0
    if (held < seq) throw new Error(`record ${seq} of ${key} is lost: ${held} is there`)
  }
}
