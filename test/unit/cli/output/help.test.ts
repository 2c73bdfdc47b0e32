import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { commandWords, loadCommands } from '../../../../src/cli/commands.ts'
import { commandTree } from '../../../helpers/commands/command-tree.ts'
import { ControlHome, runCli } from '../../../helpers/control-process.ts'

let home: ControlHome
beforeAll(async () => {
  home = await ControlHome.create()
})
afterAll(() => home[Symbol.asyncDispose]())

const run = async (argv: string[]): Promise<string> => (await runCli(argv, { home: home.folder })).out

test('every command says in its help how it is used, by example, and fits a terminal of 80 columns', async () => {
  const tree = await commandTree()
  const commands = [[], ...tree.map(({ words }) => words).filter((words) => !words.includes('complete'))]
  expect(commands.length).toBeGreaterThan(25)
  expect(commands).toContainEqual(['registry', 'approve'])
  for (const command of commands) {
    const help = await run([...command, '--help'])
    const name = ['trustnet', ...command].join(' ')
    expect(help, name).toContain(`Usage: ${name}`)
    expect(help, name).toMatch(/^(Examples|Start here):$/m)
    expect(
      help.split('\n').filter((line) => line.length > 80),
      name
    ).toEqual([])
  }
})

test('every example of the help and of the pages is a command that there is, with options and values that it takes', async () => {
  const shown = new Set<string>()
  const take = (text: string, line: RegExp): void => {
    for (const [, example = ''] of text.replaceAll(/\\\n\s*/g, '').matchAll(line)) shown.add(example)
  }
  for (const { words } of await commandTree()) take(await run([...words, '--help']), /^ {2,}trustnet (\S.*)$/gm)
  expect(shown.size).toBeGreaterThan(100)
  for (const page of pages()) take(page, /^\s*(?:\$ )?trustnet ([a-z-].*)$/gm)
  const refused = await Promise.all([...shown].map(async (example) => ({ example, why: await refusalOf(example) })))
  expect(refused.filter(({ why }) => why !== '')).toEqual([])
})

/** The pages for those who run networks. */
const pages = (): string[] =>
  ['README.md', ...readdirSync('docs').flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : []))].map((path) =>
    readFileSync(path, 'utf8')
  )

/** The reason why the program would not take an example; empty: it would. */
async function refusalOf(example: string): Promise<string> {
  // A remark stands two spaces behind, and a pipe or a file is for the shell.
  const [given = ''] = example.replace(/^--as \S+ /, '').split(/ {2,}| [|>&#]/, 1)
  const argv = wordsOf(given).filter((word) => word !== '…')
  const fitting = (await commandTree()).filter(({ words }) => words.every((word, at) => word === argv[at]))
  const found = fitting.toSorted((a, b) => b.words.length - a.words.length)[0]
  if (found === undefined) return 'no such command'
  const { command, words } = found
  command.exitOverride().configureOutput({ writeErr: () => {} })
  try {
    const { operands, unknown } = command.parseOptions(argv.slice(words.length))
    const { registeredArguments: args } = command
    const least = args.filter(({ required }) => required).length
    const isTooMany = operands.length > args.length && !args.some(({ variadic }) => variadic)
    if (unknown.length > 0) return `unknown ${unknown.join(' ')}`
    return operands.length < least || isTooMany ? `${operands.length} arguments` : ''
  } catch (error) {
    return String(error)
  }
}

/** Words as a shell takes them. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, bare]) => single ?? double ?? bare ?? '')

test('help of a command that there is not names it, and is no help about another one', async () => {
  const asked = [
    ['help', 'foo'],
    ['foo', '--help'],
    ['registry', 'foo', '--help'],
    ['help', 'registry', 'foo'],
    ['registry', 'foo']
  ]
  for (const argv of asked) {
    const { code, out, err } = await runCli(argv, { home: home.folder })
    expect({ argv, code, out }).toEqual({ argv, code: 2, out: '' })
    expect(err).toContain("unknown command 'foo'")
  }
})

test('the first words of the program are those of its commands', async () => {
  const tree = await commandTree()
  const first = tree.filter(({ words }) => words.length === 1).flatMap(({ words }) => words)
  expect(first.toSorted()).toEqual([...commandWords].toSorted())
})

test('a switch is shown as it is typed', async () => {
  const { out } = await runCli(['install', '--help'], { home: home.folder })
  expect(out).toMatch(/^ +--yes +ask nothing$/m)
  for (const { command } of await commandTree()) expect(command.helpInformation()).not.toMatch(/true\|false|preset/)
})

test('the version is printed without a command being loaded', async () => {
  expect(await loadCommands(['--version'])).toEqual([])
  expect(await run(['-V'])).toBe(await run(['--version']))
})

test('a default is shown as it is typed: with its unit', async () => {
  const tree = await commandTree()
  const timed = tree.flatMap(({ words, command }) =>
    command.options
      .filter(({ flags, defaultValue }) => typeof defaultValue === 'number' && !flags.includes('<n>'))
      .map(({ long, defaultValueDescription }) => [...words, long, defaultValueDescription])
  )
  expect(timed).toContainEqual(['wait', '--timeout', '60s'])
  expect(timed).toContainEqual(['ping', '--interval', '1s'])
  expect(timed.filter((each) => !/^\d+(?:ms|s|m|h|d| seconds)$/.test(each.at(-1) ?? ''))).toEqual([])
  const numbers = tree.filter(({ command }) => /<(?!n>|port>)[^>]*> .*\(default: \d+\)/.test(command.helpInformation()))
  expect(numbers.map(({ words }) => words.join(' '))).toEqual([])
})
