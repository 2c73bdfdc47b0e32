import { doable } from '../../install/apply/actions/index.ts'
import type { Journal } from '../../install/apply/journal.ts'
import { journalFor, toolsFor } from '../../install/apply/session.ts'
import { InstallError } from '../../install/errors.ts'
import { stableAddress } from '../../install/machine/checks.ts'
import { startDhcp } from '../../install/machine/dhcp-client.ts'
import { awaitAddress, enableIpv6, isManaged, isSettling } from '../../install/machine/enable-ipv6.ts'
import { readIpv6 } from '../../install/machine/read-facts.ts'
import { runningProgram } from '../../install/machine/running-program.ts'
import { type Action, actionKey } from '../../install/model/action.ts'
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
 * and where the router leaves addresses to DHCPv6 the client that is there is started: in the journal like every other change, and taken
 * back when the machine is refused all the same.
 */
export class Ipv6Gate {
  readonly #context: Context
  readonly #answers: Answers
  readonly #tools: Tools
  /** For the way back, which no signal breaks off. */
  readonly #backTools: Tools
  readonly #isDry: boolean
  readonly #actions: Action[] = []
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
    return this.#actions
  }

  /** Gives the state of IPv6 after all that may be done for it. */
  async pass(found: Ipv6Facts): Promise<Ipv6Facts> {
    if (stableAddress({ ipv6: found }) !== undefined) return found
    const enable = this.#answers.ipv6AutoEnable ? enableIpv6(found) : undefined
    if (enable === undefined) return await this.#ask(isSettling(found) ? await this.#wait(1, settleMs) : found)
    await this.#do(enable)
    if (!this.#mayChange) return found
    return await this.#ask(await this.#wait(enableTries, enableEveryMs, isManaged))
  }

  /** Starts the client that is there, where addresses come by DHCPv6. One that gets none changes nothing about what is told. */
  async #ask(found: Ipv6Facts): Promise<Ipv6Facts> {
    const { gateway } = found
    if (!this.#answers.ipv6AutoEnable || gateway === null || !isManaged(found)) return found
    const start = startDhcp(gateway.device)
    if (start === undefined) return found
    this.#tools.say(start.what)
    try {
      await this.#do(start)
    } catch (error) {
      if (!(error instanceof InstallError)) throw error
      this.#tools.tell(`no address came by DHCPv6: ${error.message}`)
      return found
    }
    return this.#mayChange ? await this.#wait(1, settleMs) : found
  }

  get #mayChange(): boolean {
    return !this.#isDry && process.getuid?.() === 0
  }

  /** Does it now, where anything may be changed. */
  async #do(action: Action): Promise<void> {
    if (!this.#actions.some((each) => actionKey(each) === actionKey(action))) this.#actions.push(action)
    if (!this.#mayChange) return
    this.#journal ??= await journalFor(this.#answers, this.#tools.program.version, this.#context.terminal.env)
    const entry = await this.#journal.begin(action, () => doable(action).before(this.#tools))
    await doable(action).apply(this.#tools, entry.undo)
    await this.#journal.done(entry)
  }

  /** The machine is refused, or the operator said no: what was changed so far is taken back. */
  async takeBack(): Promise<void> {
    for (const action of this.#actions.toReversed()) {
      const entry = this.#journal?.entry(action)
      if (entry === undefined) continue
      await doable(entry.action).revert(entry.undo, this.#backTools)
      await this.#journal?.forget(entry)
    }
    if (this.#journal?.state.entries.length === 0) await this.#journal.remove()
  }

  async #wait(tries: number, everyMs: number, isOver?: (found: Ipv6Facts) => boolean): Promise<Ipv6Facts> {
    const { signal } = this.#context
    return await awaitAddress({ read: readIpv6, signal, say: this.#tools.say, tries, everyMs, isOver })
  }
}
