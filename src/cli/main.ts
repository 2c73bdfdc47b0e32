import { Command, CommanderError } from 'commander'
import { onAbort } from '../runtime/abort.ts'
import { inWords, isSystemError, systemErrorText } from '../runtime/files/system-error.ts'
import { Redactor } from '../runtime/redactor.ts'
import { versionInfo } from '../runtime/version.ts'
import { aliasNames } from './access/name-alias.ts'
import { loadCommands } from './commands.ts'
import { type Conduct, conductOf } from './output/conduct.ts'
import type { Context } from './output/context.ts'
import { errorCodeOf, exitCodeOf, exitCodes } from './output/exit.ts'
import { type Failure, failureLine, lostOutput, tellFailure } from './output/failure.ts'
import { brokenOff, isOfSignal, signalExitCode, signalOf } from './output/interrupt.ts'
import { Terminal, type TerminalInit } from './output/terminal.ts'
import { sanitiseError } from './output/text.ts'

const about = `The machines of one domain find, recognise and reach each other over IPv6.`

const footer = `
Start here:
  trustnet dev                         a whole network on this machine
  trustnet init --domain example.org   a network of your own
  trustnet registry start              its root; then, for each machine:
  trustnet invite                      prints a line
  trustnet join LINE                   there, lets it in

Exit codes: 0 fine, 1 failure of our own, 2 usage or configuration,
3 nothing running, 4 no match, 5 degraded (--check), 6 refused,
7 timed out or unreachable, 128 + n ended by signal n.`

export interface MainInit extends Omit<TerminalInit, 'redact'> {
  argv: readonly string[]
  signal: AbortSignal
  /** Told how the command behaves: before it begins, when that changes, and when only its output is still on its way. */
  onConduct?: (conduct: Conduct, isOver: boolean) => void
  /** Told what is called for SIGHUP. */
  onHangup?: (listener: () => void) => void
}

/** Time that a command which only prints may take to end after a signal: for what it has to put away. */
const graceMs = 1000
/** Time that one which changes something may take without a word. */
const silentMs = 300

const halfDone = 'what was begun may be half done; the same command goes on with it, or says how it is'
const finishing = 'Finishing what must not be left half done: press Ctrl-C again to stop at once.'

/** Runs one command line and gives its exit code. Never throws, never ends the process. */
export const main = async (init: MainInit): Promise<number> => {
  const redactor = new Redactor(init)
  const terminal = new Terminal({ ...init, redact: (text) => redactor.clean(text) })
  const run = new Run(init, terminal)
  return await run.flushed(await exitCode(run, init))
}

const exitCode = async (run: Run, init: MainInit): Promise<number> => {
  try {
    const argv = behindCommand(init.argv)
    const program = await createProgram(run, argv)
    requireCommands(program, argv)
    await Promise.race([program.parseAsync(commandLine(argv), { from: 'user' }), run.cutShort()])
    return run.ended()
  } catch (error) {
    return run.failed(error)
  }
}

/** `trustnet --as KEYFILE revoke hal` is `trustnet revoke hal --as KEYFILE`; with `=` between them, and between the words of a command, too. */
const behindCommand = (argv: readonly string[]): readonly string[] => {
  const from = argv.findIndex((word) => word.startsWith('-'))
  const word = argv[from]
  if (word === undefined || argv[0] === 'complete') return argv
  const to = word === '--as' ? from + 2 : word.startsWith('--as=') ? from + 1 : from
  const rest = argv.slice(to)
  if (to === from || rest.length === 0) return argv
  const end = rest.indexOf('--')
  const at = end < 0 ? rest.length : end
  return [...argv.slice(0, from), ...rest.slice(0, at), ...argv.slice(from, to), ...rest.slice(at)]
}

/** `help a b` is `a b --help`. */
const commandLine = (argv: readonly string[]): string[] =>
  argv[0] === 'help' && argv.length > 1 ? [...argv.slice(1), '--help'] : [...argv]

/** One command on its way to an exit code. */
class Run implements Context {
  readonly terminal: Terminal
  readonly signal: AbortSignal
  readonly #init: MainInit
  #code: number = exitCodes.fine
  #conduct: Conduct = 'prints'
  #isOver = false
  #failure: Failure | undefined

  constructor(init: MainInit, terminal: Terminal) {
    this.#init = init
    this.signal = init.signal
    this.terminal = terminal
  }

  exit(code: number): void {
    this.#code = code
  }

  onHangup(listener: () => void): void {
    this.#init.onHangup?.(listener)
  }

  conduct(conduct: Conduct): void {
    this.#conduct = conduct
    this.#init.onConduct?.(conduct, false)
  }

  /** Rejects soon after a signal, when the command only prints; what must come to its end says that it does. */
  async cutShort(): Promise<never> {
    return await new Promise((_, reject) => {
      const late = (): void => {
        if (this.#conduct === 'prints') setTimeout(() => reject(this.signal.reason), graceMs)
        else setTimeout(() => this.#tellFinishing(), silentMs)
      }
      onAbort(this.signal, late)
    })
  }

  #tellFinishing(): void {
    if (this.#conduct === 'changes' && !this.#isOver) this.terminal.progress(finishing)
  }

  /** The command came to its end. A signal that a change has outlived changes nothing about it. */
  ended(): number {
    this.#isOver = true
    const isCut = this.signal.aborted && (this.#conduct === 'prints' || this.#code !== exitCodes.fine)
    return isCut && this.#conduct !== 'runs' ? signalExitCode(signalOf(this.signal)) : this.#code
  }

  failed(error: unknown): number {
    this.#isOver = true
    const { signal, terminal } = this
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitCodes.fine
      this.#failure = { code: 'USAGE', message: error.message }
      return exitCodes.usage
    }
    const left = brokenOff(error)
    const isNews = left === undefined && !isOfSignal(error, signal)
    const message = messageOf(error)
    if (isNews) this.#fails({ code: errorCodeOf(error), message })
    const name = signal.aborted || left !== undefined ? signalOf(signal) : undefined
    const isCut = name !== undefined && this.#conduct !== 'runs'
    if (isCut && this.#conduct === 'changes') terminal.progress(`Interrupted by ${name}: ${left ?? halfDone}.`)
    if (isCut) return signalExitCode(name)
    // A daemon is stopped by a signal: what is wrong with it all the same is its own.
    return isNews ? exitCodeOf(error) : this.#code
  }

  #fails(failure: Failure): void {
    this.#failure = failure
    tellFailure(this.terminal, failure)
  }

  /** Waits until the output has arrived, and gives the exit code: its own to a command that failed for another reason, too. */
  async flushed(code: number): Promise<number> {
    const { terminal } = this
    this.#init.onConduct?.(this.#conduct, true)
    await terminal.stdout.flushed?.()
    const { failure } = terminal.stdout
    const isLost = failure !== undefined && failure.code !== 'EPIPE' && this.#conduct !== 'runs'
    const lost = isLost ? lostOutput(failure) : undefined
    if (lost !== undefined) tellFailure(terminal, lost)
    const told = this.#failure ?? lost
    if (told !== undefined && this.#init.argv.includes('--json')) terminal.progress(failureLine(told))
    return lost !== undefined && code === exitCodes.fine ? exitCodes.failure : code
  }
}

const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return sanitiseError(String(error))
  const text = isSystemError(error) ? systemErrorText(error) : inWords(error.message)
  return text.split('\n').map(sanitiseError).join('\n       ')
}

const createProgram = async (context: Context, argv: readonly string[]): Promise<Command> => {
  const { terminal } = context
  const program: Command = new Command('trustnet')
    .description(about)
    .version(versionInfo().version, '-V, --version', 'print the version')
    // A command may have an option of the same name.
    .enablePositionalOptions()
    .addHelpText('after', footer)
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.complain(text),
      // Whatever stands there too much may be a part of a secret that the shell has split.
      outputError: (text, write) => write(leadingToHelp(text.replace(/( but got \d+):.*$/s, '$1.\n'), program, argv))
    })
    .configureHelp({ sortOptions: false })
    .showSuggestionAfterError()
    .exitOverride()
    .hook('preAction', (_, command) => context.conduct(conductOf(wordsOf(command).join(' '))))
  for (const add of await loadCommands(argv)) add(program, context)
  settle(program)
  return program
}

/** The words that call a command. */
export const wordsOf = (command: Command): string[] =>
  command.parent === null ? [] : [...wordsOf(command.parent), command.name()]

/** A command or an argument that is missing, with what may stand there, and where more is said. */
const leadingToHelp = (text: string, program: Command, argv: readonly string[]): string => {
  const [, what, name] = /^error: (missing required argument|unknown command) '(.*)'\n$/.exec(text) ?? []
  if (what === undefined) return text
  let command = program
  for (const word of argv) {
    if (word === name) break
    command = command.commands.find((one) => one.name() === word) ?? command
  }
  const choices = command.registeredArguments.find((one) => one.name() === name)?.argChoices ?? []
  const those = choices.length > 0 ? `, one of ${choices.join(', ')}` : ''
  const help = ['trustnet', ...wordsOf(command), '--help'].join(' ')
  return `${text.trimEnd()}${those}; \`${help}\` ${what === 'unknown command' ? 'lists them' : 'says more'}\n`
}

/** Help about a command that there is not would be help about another one. */
const requireCommands = (program: Command, argv: readonly string[]): void => {
  if (!argv.includes('--help') && !argv.includes('-h') && argv[0] !== 'help') return
  let command = program
  for (const word of argv[0] === 'help' ? argv.slice(1) : argv) {
    if (word.startsWith('-') || command.commands.length === 0) return
    const found = command.commands.find((one) => one.name() === word)
    if (found === undefined && command.registeredArguments.length > 0) return
    if (found === undefined && word !== 'help') {
      command.error(`error: unknown command '${word}'`)
    }
    command = found ?? command
  }
}

/** exitOverride and output are not inherited by commands that were added with their own settings. */
const settle = (command: Command): void => {
  for (const child of command.commands) {
    child.copyInheritedSettings(command)
    aliasNames(child)
    settle(child)
  }
}
