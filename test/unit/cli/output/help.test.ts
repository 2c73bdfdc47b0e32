import { afterAll, beforeAll, expect, test } from 'vitest'
import { ControlHome, runCli } from '../../../helpers/control-process.ts'

let home: ControlHome
beforeAll(async () => {
  home = await ControlHome.create()
})
afterAll(() => home[Symbol.asyncDispose]())

const run = async (argv: string[]): Promise<string> => (await runCli(argv, { home: home.folder })).out

/** Every command there is, found as the shell completion finds them. */
const commandsUnder = async (path: string[]): Promise<string[][]> => {
  const words = (await run(['complete', '--', ...path, '']))
    .split('\n')
    .filter((word) => word !== '' && word !== 'help')
  const below = await Promise.all(words.map((word) => commandsUnder([...path, word])))
  return [path, ...below.flat()]
}

test('every command says in its help how it is used, by example, and fits a terminal of 80 columns', async () => {
  const commands = await commandsUnder([])
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
