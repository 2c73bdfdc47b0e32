import type { Command } from 'commander'
import { versionInfo } from '../../runtime/version.ts'
import type { AddCommand } from './context.ts'
import { exampleOf } from './help.ts'

export const addMan: AddCommand = (program, { terminal }) => {
  program
    .command('man')
    .description('print the manual page')
    .addHelpText('after', exampleOf('trustnet man | man -l -', 'trustnet man > ~/.local/share/man/man1/trustnet.1'))
    .action(() => {
      terminal.stdout.write(manPage(program))
    })
}

/** The help of all commands as a page for man(1). */
const manPage = (program: Command): string =>
  [
    `.TH TRUSTNET 1 "" "trustnet ${versionInfo().version}" "TrustNet"`,
    // Words are neither divided nor spread over the line.
    '.nh\n.ad l',
    '.SH NAME',
    `trustnet \\- ${roff('machines of one domain that find, recognise and reach each other over IPv6')}`,
    '.SH SYNOPSIS',
    `.B trustnet\n.RI [ options ] " " [ command ]`,
    '.SH DESCRIPTION',
    roff(program.description()),
    ...verbatim(afterHelp(program)),
    '.SH COMMANDS',
    ...commandsOf(program, []).flatMap(({ words, command }) => commandPart(words, command)),
    ''
  ].join('\n')

interface NamedCommand {
  readonly words: readonly string[]
  readonly command: Command
}

/** Commands that do something, in the order of the help; a group alone only lists others. */
const commandsOf = (parent: Command, above: readonly string[]): NamedCommand[] => {
  const visible = parent.createHelp().visibleCommands(parent)
  return parent.commands
    .filter((command) => visible.includes(command) && command.name() !== 'help')
    .flatMap((command) => {
      const words = [...above, command.name()]
      const below = commandsOf(command, words)
      const isGroup = below.length > 0 && command.options.length === 0
      return isGroup ? below : [{ words, command }, ...below]
    })
}

const commandPart = (words: readonly string[], command: Command): string[] => {
  const help = command.createHelp()
  const terms = [
    ...help.visibleArguments(command).map((one) => [help.argumentTerm(one), help.argumentDescription(one)]),
    ...help
      .visibleOptions(command)
      .filter(({ long }) => long !== '--help')
      .map((one) => [help.optionTerm(one), help.optionDescription(one)])
  ]
  return [
    `.SS ${roff(words.join(' '))}`,
    `.B ${roff(help.commandUsage(command))}`,
    '.PP',
    roff(help.commandDescription(command)),
    ...terms.flatMap(([term = '', about = '']) => ['.TP', `.B ${roff(term)}`, roff(about)]),
    ...verbatim(afterHelp(command))
  ]
}

/** Text that stands behind the help of a command: its examples. */
const afterHelp = (command: Command): string => {
  const parts: string[] = []
  command.configureOutput({ writeOut: (text) => parts.push(text) }).outputHelp()
  // The first is the help itself.
  return parts.slice(1).join('').trim()
}

const verbatim = (text: string): string[] => (text === '' ? [] : ['.PP', '.nf', roff(text), '.fi'])

/** Characters that roff prints as others, which a shell would not take. */
const escapes: ReadonlyMap<string, string> = new Map([
  ['\\', '\\e'],
  ['-', '\\-'],
  ["'", '\\(aq'],
  ['`', '\\(ga'],
  ['^', '\\(ha'],
  ['~', '\\(ti']
])

/** Text as roff prints it unchanged; a line that begins with a dot would be a request. */
const roff = (text: string): string =>
  text.replaceAll(/[\\'`^~-]/g, (found) => escapes.get(found) ?? found).replaceAll(/^(?=\.)/gm, '\\&')
