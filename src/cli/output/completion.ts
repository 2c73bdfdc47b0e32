import { Argument, type Command, type Option } from 'commander'
import type { ControlApi } from '../../node/api/control-api.ts'
import { within } from '../../runtime/abort.ts'
import { liveNodes, running } from '../access/find-running.ts'
import type { AddCommand, Context } from './context.ts'

const examples = `
Examples:
  trustnet completion bash > /etc/bash_completion.d/trustnet
  trustnet completion zsh > "\${fpath[1]}/_trustnet"
  trustnet completion fish > ~/.config/fish/completions/trustnet.fish`

/** The commands that complete others, of which `commandWords` are the first words. */
export const completionOf =
  (commandWords: readonly string[]): AddCommand =>
  (program, context) => {
    const { terminal } = context
    program
      .command('completion')
      .description('print a completion script for a shell')
      .addArgument(new Argument('<shell>', 'which').choices([...scripts.keys()]))
      .addHelpText('after', examples)
      .action((shell: string) => {
        terminal.stdout.write(scripts.get(shell) ?? '')
      })
    program
      .command('complete', { hidden: true })
      .argument('[words...]')
      .allowUnknownOption()
      .action(async (words: string[]) => {
        const last = words.at(-1) ?? ''
        const offered = words.length < 2 ? commandWords : await completions(program, context, words)
        for (const word of offered) if (word !== 'complete' && word.startsWith(last)) terminal.print(word)
      })
  }

/** Time that the process which runs here may take to tell who is there. */
const askMs = 1000

/** Place that the words before the last one lead to. */
interface Place {
  readonly command: Command
  /** The last word is the value of this option. */
  readonly option: Option | undefined
  /** Number of arguments of the command before the last word. */
  readonly given: number
}

const placeOf = (program: Command, words: readonly string[]): Place => {
  let place: Place = { command: program, option: undefined, given: 0 }
  for (const word of words) {
    const { command, option, given } = place
    const below = given === 0 && option === undefined ? command.commands.find((one) => one.name() === word) : undefined
    if (below !== undefined) place = { command: below, option: undefined, given: 0 }
    else if (word.startsWith('-')) place = { command, given, option: valueOption(command, word) }
    else place = { command, option: undefined, given: option === undefined ? given + 1 : given }
  }
  return place
}

const valueOption = (command: Command, word: string): Option | undefined =>
  command.options.find((one) => one.required && (one.long === word || one.short === word))

/** Words that may stand in the place of the last one. None: the shell completes files. */
const completions = async (
  program: Command,
  context: Context,
  words: readonly string[]
): Promise<readonly string[]> => {
  const last = words.at(-1) ?? ''
  const { command, option, given } = placeOf(program, words.slice(0, -1))
  const ask = async (what: string): Promise<readonly string[]> => await named(context, what, words)
  if (option !== undefined) return listed(option, last) ?? (await ask(option.long ?? ''))
  const visible = command.createHelp()
  if (last.startsWith('-')) return visible.visibleOptions(command).flatMap(({ long }) => long ?? [])
  const argument = command.registeredArguments[given]
  const values = argument?.argChoices ?? (await ask(`${wordsOf(command)} ${argument?.name() ?? ''}`))
  return given > 0 ? values : [...visible.visibleCommands(command).map((one) => one.name()), ...values]
}

/** The choices of an option; after a comma those that may follow. */
const listed = ({ argChoices }: Option, last: string): readonly string[] | undefined => {
  const before = last.slice(0, last.lastIndexOf(',') + 1)
  return argChoices?.map((choice) => `${before}${choice}`)
}

const wordsOf = (command: Command): string =>
  command.parent?.parent ? `${wordsOf(command.parent)} ${command.name()}` : command.name()

type Ask = (api: ControlApi, signal: AbortSignal) => Promise<readonly (string | null)[]>

const memberNames: Ask = async (api, signal) => (await api.peers({}, { signal })).peers.map(({ name }) => name)
const waitingNames: Ask = async (api, signal) => (await api.pending({}, { signal })).pending.map(({ name }) => name)
const openInvites: Ask = async (api, signal) => (await api.invites({}, { signal })).invites.map(({ id }) => id)
const allInvites: Ask = async (api, signal) =>
  (await api.invites({ all: true }, { signal })).invites.map(({ id }) => id)
const documentIds: Ask = async (api, signal) => (await api.documents({}, { signal })).documents.map(({ id }) => id)
const waitingIds: Ask = async (api, signal) =>
  (await api.waitingOrders({}, { signal })).waiting.flatMap(({ id }) => (id === '' ? [] : [id]))
const operatorNames: Ask = async (api, signal) =>
  (await api.operators({}, { signal })).operators.map(({ name }) => name)

const storeNames: Ask = async (api, signal) => {
  const { stores } = await api.stores({}, { signal })
  const isOnly = (name: string): boolean => stores.filter((one) => one.name === name).length === 1
  return stores.map(({ name, owner }) => (isOnly(name) ? name : `${owner.name ?? owner.peerId}/${name}`))
}

/** Words that a process knows, by what asks for them: an option, an argument, or the argument of a command. */
const known: ReadonlyMap<string, Ask> = new Map([
  ['--replace', memberNames],
  ['--dismiss', memberNames],
  ['--member', memberNames],
  ['peer', memberNames],
  ['policy test from', memberNames],
  ['policy test to', memberNames],
  ['registry approve peer', waitingNames],
  ['registry reject peer', waitingNames],
  ['invite show id', allInvites],
  ['invite cancel id', openInvites],
  ['document show id', documentIds],
  ['document history id', documentIds],
  ['document retire ids', documentIds],
  ...['show', 'sync', 'remove', 'pin'].map((verb): [string, Ask] => [`store ${verb} name`, storeNames]),
  ['operator approve id', waitingIds],
  ['operator withdraw id', waitingIds],
  ['operator remove name', operatorNames]
])

/**
 * A name that means itself to every shell, and is no option. Others would be put into the line as they are, and the process that tells names may
 * be that of a user who was taken over.
 */
const harmless = /^[\w.:/@][\w.,:/@=+-]*$/

/** Names that this machine knows. They are those of the process that is named before, or of the first one. */
const named = async (context: Context, what: string, words: readonly string[]): Promise<readonly string[]> => {
  const { env } = context.terminal
  const kind = what.split(' ').at(-1) ?? ''
  const nodes = await liveNodes(env)
  if (kind === 'node' || kind === '--node') return nodes.filter((name) => harmless.test(name))
  const ask = known.get(what) ?? known.get(kind)
  if (ask === undefined) return []
  try {
    const signal = within(askMs, context.signal)
    const given = words.find((_, at) => words[at - 1] === '--node' || words[at - 1] === '-n')
    const node = nodes.find((name) => name === given) ?? nodes.find((name) => name === env['TRUSTNET_NAME']) ?? nodes[0]
    const found = await ask(await running(context, node === undefined ? {} : { node }), signal)
    return found.flatMap((name) => (name !== null && harmless.test(name) ? [name] : []))
  } catch {
    return []
  }
}

// Each asks the program itself, so a script never lags behind the installed version.
const scripts: ReadonlyMap<string, string> = new Map([
  [
    'bash',
    `_trustnet() {
  local IFS=$'\\n'
  COMPREPLY=($(trustnet complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _trustnet trustnet
`
  ],
  [
    'zsh',
    `#compdef trustnet
_trustnet() {
  local -a found
  found=("\${(@f)$(trustnet complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  [[ -n "$found" ]] && compadd -a found || _files
}
_trustnet "$@"
`
  ],
  [
    'fish',
    `complete -c trustnet -a '(trustnet complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`
  ]
])
