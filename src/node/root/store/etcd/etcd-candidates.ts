import { maxCandidates } from '../shared-root-log.ts'
import * as etcd from './etcd-calls.ts'
import { endOf } from './etcd-layout.ts'

/** A candidate that says nothing for four of its looks is gone. */
const seconds = 20

/** Asks etcd, and takes of its answer what is due. @throws UnavailableError */
type Ask = <T>(path: string, body: object, take: (value: unknown) => T) => Promise<T>

/** Processes that stand for the place of the root, each with a key that goes when it has said nothing for a while. */
export class EtcdCandidates {
  readonly #prefix: string
  readonly #ask: Ask
  #lease: string | undefined

  /** `prefix`: beginning of their keys. */
  constructor(prefix: string, ask: Ask) {
    this.#prefix = prefix
    this.#ask = ask
  }

  /** Says that this one is there. Gives the others. */
  async attend(holder: string): Promise<string[]> {
    if (this.#lease === undefined || !(await this.#isKept(this.#lease))) await this.#enter(holder)
    const range = { key: this.#prefix, end: endOf(this.#prefix), limit: maxCandidates + 1, keysOnly: true }
    const found = await this.#ask(etcd.path.range, etcd.rangeOf(range), etcd.pairsIn)
    const holders = found.map(({ key }) => key.slice(this.#prefix.length))
    return holders.filter((each) => each !== holder).slice(0, maxCandidates)
  }

  async #isKept(lease: string): Promise<boolean> {
    return (await this.#ask(etcd.path.keepAlive, { ID: lease }, etcd.keptAliveIn)) > 0
  }

  async #enter(holder: string): Promise<void> {
    const lease = await this.#ask(etcd.path.grant, { TTL: String(seconds) }, etcd.leaseIn)
    const success = [etcd.put(this.#prefix + holder, '', lease)]
    await this.#ask(etcd.path.txn, { compare: [], success }, etcd.txnAnswer)
    this.#lease = lease
  }
}
