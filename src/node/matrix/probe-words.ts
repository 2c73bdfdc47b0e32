import { keyId } from '../../identity/key-id.ts'
import type { DialResult, ProbedMember, ProbeWord } from '../../protocols/probe/index.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'

/** Members that are asked to dial each address of a member. */
export const probersOfMember = 6
/** A word this old is asked for anew. */
export const freshMs = 15 * 60_000
/** An address that nobody has reached may belong to somebody else: it is dialled more and more rarely, down to this part. */
const mostDoublings = 4

interface Kept extends DialResult {
  readonly prober: Uint8Array
  /** Monotonic ms. */
  readonly at: number
  /** Failures since the member was last reached by this prober. */
  readonly failures: number
}

interface Target {
  readonly publicKey: Uint8Array
  /** By address, then by prober. */
  readonly addrs: Map<string, Map<string, Kept>>
}

/**
 * Words of members about each other's addresses: of each address the words of 6 probers at most, the newest of each. They are shown as theirs;
 * nothing is decided by them.
 */
export class ProbeWords {
  readonly #clock: Clock
  readonly #targets = new Map<string, Target>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  put(publicKey: Uint8Array, addr: string, prober: Uint8Array, result: DialResult): void {
    const id = keyId(publicKey)
    const target = this.#targets.get(id) ?? { publicKey, addrs: new Map() }
    const words = target.addrs.get(addr) ?? new Map<string, Kept>()
    const by = keyId(prober)
    const failures = result.failure === undefined ? 0 : (words.get(by)?.failures ?? 0) + 1
    words.delete(by)
    words.set(by, { ...result, prober, at: this.#clock.monotonic(), failures })
    const [oldest] = words.keys()
    if (words.size > probersOfMember && oldest !== undefined) words.delete(oldest)
    target.addrs.set(addr, words)
    this.#targets.set(id, target)
  }

  isDue(publicKey: Uint8Array, addr: string, prober: Uint8Array): boolean {
    const words = this.#targets.get(keyId(publicKey))?.addrs.get(addr)
    const word = words?.get(keyId(prober))
    if (words === undefined || word === undefined) return true
    const isProven = [...words.values()].some(({ failure }) => failure === undefined)
    const doublings = isProven ? 0 : Math.min(mostDoublings, word.failures - 1)
    return this.#clock.monotonic() - word.at >= freshMs * 2 ** doublings
  }

  /** Forgets those whose addresses are none any more, and the words of those who are no members. */
  keep(addrsOf: (publicKey: Uint8Array) => readonly string[], isMember: (publicKey: Uint8Array) => boolean): void {
    for (const [id, { publicKey, addrs }] of this.#targets) {
      this.keepAddrs(publicKey, isMember(publicKey) ? addrsOf(publicKey) : [])
      for (const [addr, words] of addrs) {
        for (const [by, { prober }] of words) if (!isMember(prober)) words.delete(by)
        if (words.size === 0) addrs.delete(addr)
      }
      if (addrs.size === 0) this.#targets.delete(id)
    }
  }

  /** Forgets what was said of other addresses of a member than these: it may change them as often as it likes. */
  keepAddrs(publicKey: Uint8Array, held: readonly string[]): void {
    const addrs = this.#targets.get(keyId(publicKey))?.addrs
    for (const addr of addrs?.keys() ?? []) if (!held.includes(addr)) addrs?.delete(addr)
  }

  /** Gives those of one member, or of all: those first that most probers failed to reach. */
  told(publicKey?: Uint8Array): ProbedMember[] {
    if (publicKey === undefined) {
      const all = [...this.#targets.values()].map((target) => ({
        failed: failedOf(target),
        told: this.#toldOf(target)
      }))
      return all.toSorted((a, b) => b.failed - a.failed).map(({ told }) => told)
    }
    const target = this.#targets.get(keyId(publicKey))
    return target === undefined ? [] : [this.#toldOf(target)]
  }

  #toldOf({ publicKey, addrs }: Target): ProbedMember {
    const now = this.#clock.monotonic()
    const wordOf = ({ prober, failure, tookMs, at }: Kept): ProbeWord => ({ prober, failure, tookMs, agoMs: now - at })
    return { publicKey, addrs: [...addrs].map(([addr, words]) => ({ addr, words: [...words.values()].map(wordOf) })) }
  }
}

const failedOf = ({ addrs }: Target): number =>
  [...addrs.values()].reduce(
    (sum, words) => sum + [...words.values()].filter(({ failure }) => failure !== undefined).length,
    0
  )
