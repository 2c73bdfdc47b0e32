import { doable } from '../../install/apply/actions/index.ts'
import type { Journal } from '../../install/apply/journal.ts'
import { journalFor, toolsFor } from '../../install/apply/session.ts'
import { stableAddress } from '../../install/machine/checks.ts'
import { awaitAddress, enableIpv6, isSettling } from '../../install/machine/enable-ipv6.ts'
import { readIpv6 } from '../../install/machine/read-facts.ts'
import { runningProgram } from '../../install/machine/running-program.ts'
import type { Action } from '../../install/model/action.ts'
import type { Answers } from '../../install/model/answers.ts'
import type { Ipv6Facts } from '../../install/model/facts.ts'
import type { Tools } from '../../install/model/tools.ts'
import type { Context } from '../output/context.ts'

const enableTries = 5
const enableEveryMs = 10_000
/** Duplicate address detection takes a second or two. */
const settleMs = 5000

/**
 * IPv6 before everything else, since the plan needs to know the address. Where it is off and may be turned on it is turned on here,
 * in the journal like every other change, and off again when the machine is refused all the same.
 */
export class Ipv6Gate {
  readonly #context: Context
  readonly #answers: Answers
  readonly #tools: Tools
  /** For the way back, which no signal breaks off. */
  readonly #backTools: Tools
  readonly #isDry: boolean
  #action: Action | undefined
  #journal: Journal | undefined

  constructor(context: Context, answers: Answers, { isDry }: { isDry: boolean }) {
    const { terminal, signal } = context
    const say = (text: string): void => terminal.progress(`  ${text}`)
    this.#context = context
    this.#answers = answers
    this.#isDry = isDry
    const tools = { program: runningProgram(), say, tell: say, env: terminal.env }
    this.#tools = toolsFor({ ...tools, signal })
    this.#backTools = toolsFor({ ...tools, signal: new AbortController().signal })
  }

  /** For the plan; empty: IPv6 was on. */
  get actions(): readonly Action[] {
    return this.#action === undefined ? [] : [this.#action]
  }

  /** Gives the state of IPv6 after all that may be done for it. */
  async pass(found: Ipv6Facts): Promise<Ipv6Facts> {
    if (stableAddress({ ipv6: found }) !== undefined) return found
    const action = this.#answers.ipv6AutoEnable ? enableIpv6(found) : undefined
    if (action === undefined) return isSettling(found) ? await this.#wait(1, settleMs) : found
    this.#action = action
    if (this.#isDry || process.getuid?.() !== 0) return found
    this.#journal = await journalFor(this.#answers, this.#tools.program.version, this.#context.terminal.env)
    const entry = await this.#journal.begin(action, () => doable(action).before(this.#tools))
    await doable(action).apply(this.#tools, entry.undo)
    await this.#journal.done(entry)
    return await this.#wait(enableTries, enableEveryMs)
  }

  /** The machine is refused, or the operator said no: what was changed so far is taken back. */
  async takeBack(): Promise<void> {
    const entry = this.#action === undefined ? undefined : this.#journal?.entry(this.#action)
    if (entry === undefined) return
    await doable(entry.action).revert(entry.undo, this.#backTools)
    await this.#journal?.forget(entry)
    if (this.#journal?.state.entries.length === 0) await this.#journal.remove()
  }

  async #wait(tries: number, everyMs: number): Promise<Ipv6Facts> {
    const { signal } = this.#context
    return await awaitAddress({ read: readIpv6, signal, say: this.#tools.say, tries, everyMs })
  }
}
