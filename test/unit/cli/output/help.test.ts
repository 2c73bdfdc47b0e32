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
      .filter(({ flags, defaultValue }) => flags.includes('<duration>') && defaultValue !== undefined)
      .map(({ long, defaultValueDescription }) => [...words, long, defaultValueDescription])
  )
  expect(timed).toContainEqual(['wait', '--timeout', '60s'])
  expect(timed.filter((each) => !/^\d+(?:ms|s|m|h|d)$/.test(each.at(-1) ?? ''))).toEqual([])
  for (const argv of [['wait'], ['dns', 'check'], ['dns', 'set']]) {
    expect(await run([...argv, '--help'])).not.toMatch(/default: \d{4,}\)/)
  }
})
