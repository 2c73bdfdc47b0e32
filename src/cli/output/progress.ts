import { doable } from '../../install/apply/actions/index.ts'
import type { ExecuteEvents, StepEvent } from '../../install/apply/execute.ts'
import { stepTitles } from '../../install/model/plan.ts'
import type { Terminal } from './terminal.ts'
import { duration } from './text.ts'

const titleColumns = 28
const clearLine = '\r\u001B[K'

/** Steps with their time, on stderr: one line each; on a terminal the line of the running one says what it does. */
export class Progress implements ExecuteEvents {
  readonly #terminal: Terminal
  readonly #verbose: boolean
  readonly #live: boolean
  readonly #total: number
  #head = ''

  constructor(terminal: Terminal, options: { verbose: boolean; total?: number }) {
    this.#terminal = terminal
    this.#total = options.total ?? stepTitles.length
    this.#verbose = options.verbose
    this.#live = terminal.stderr.isTTY === true && !options.verbose
  }

  readonly onStep = ({ number, title }: StepEvent): void => {
    this.#head = `[${number}/${this.#total}] ${title.padEnd(titleColumns)}`
    if (this.#live) this.#terminal.stderr.write(this.#head)
    else if (this.#verbose) this.#terminal.progress(this.#head.trimEnd())
  }

  readonly onAction: NonNullable<ExecuteEvents['onAction']> = (action, state) => {
    if (state === 'begun') this.say(doable(action).describe().text)
  }

  readonly onStepDone = ({ note }: StepEvent, ms: number): void => {
    const { paintProgress } = this.#terminal
    this.#line(note === null ? `${paintProgress('good', 'done')}  ${duration(ms)}` : paintProgress('dim', note))
  }

  /** Shows what goes on inside the step. */
  readonly say = (text: string): void => {
    if (this.#verbose) this.#terminal.progress(`      ${text}`)
    else if (this.#live) this.#terminal.stderr.write(this.#fit(text))
  }

  /** Stays on the screen. */
  readonly tell = (text: string): void => {
    this.clear()
    this.#terminal.progress(text)
  }

  failed(): void {
    if (this.#head !== '') this.#line(this.#terminal.paintProgress('bad', 'failed'))
  }

  clear(): void {
    if (this.#live) this.#terminal.stderr.write(clearLine)
  }

  #line(end: string): void {
    this.clear()
    this.#terminal.progress(`${this.#head}${end}`)
    this.#head = ''
  }

  #fit(text: string): string {
    const line = `${this.#head}${text}`
    const width = (this.#terminal.stderr.columns ?? 80) - 1
    return `${clearLine}${line.length > width ? `${line.slice(0, width - 1)}…` : line}`
  }
}
