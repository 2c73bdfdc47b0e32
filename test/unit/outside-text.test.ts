import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { normalDomain } from '../../src/node/config/domain.ts'
import { parseDuration } from '../../src/node/config/durations.ts'
import { keys, parseConfig } from '../../src/node/config/index.ts'
import { commandTree } from '../helpers/commands/command-tree.ts'
import { ControlHome, runCli } from '../helpers/control-process.ts'

/** Names that every plain object answers to. */
const words = ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf']

const root = join(import.meta.dirname, '../../src')

test('no table of the source is a plain object that a variable of any text indexes', () => {
  for (const file of globSync('**/*.ts', { cwd: root })) {
    const text = readFileSync(join(root, file), 'utf8')
    const tables = [...text.matchAll(/^\s*(?:export )?const (\w+): (?:Readonly<)?Record<string, /gm)].map(
      ([, name]) => name
    )
    for (const table of tables)
      expect({ file, text }).not.toMatchObject({ text: expect.stringMatching(new RegExp(`\\b${table}\\[(?!['"\\d])`)) })
  }
})

describe.each(words)('%s', (word) => {
  let home: ControlHome
  beforeAll(async () => {
    home = await ControlHome.create()
  })
  afterAll(() => home[Symbol.asyncDispose]())
  const run = (argv: readonly string[]) => runCli([...argv], { home: home.folder })

  test('is the value of no key that takes words, durations, numbers or addresses', () => {
    // Free text is free: paths, the name of a hook, and a name, which `constructor` is.
    const free = keys.filter(({ rule }) => rule.safeParse('some-text').success)
    for (const key of keys.filter((one) => !free.includes(one))) {
      const value = parseValue(key.yaml, word)
      expect({ key: key.yaml, value }).toMatchObject({ value: 'refused' })
    }
    expect(keys.length - free.length).toBeGreaterThan(40)
  })

  test('is no key, in the file, among the flags, or below a section', () => {
    for (const text of [`${word}: 1`, `listen:\n  ${word}: 1`, `"${word}":\n  port: 1`])
      expect(() => parseConfig({ text, env: {} })).toThrow('there is no such key')
    expect(() => parseConfig({ env: {}, flags: Object.fromEntries([[word, '1']]) })).toThrow('there is no such key')
  })

  test('is no unit and no domain', () => {
    expect(parseDuration(`1${word}`)).toBeUndefined()
    expect(normalDomain(word)).toBeUndefined()
  })

  test('is a command, a topic of help or an option of none', async () => {
    for (const argv of [
      [word],
      ['help', word],
      ['registry', word],
      ['config', 'show', `--${word}`],
      ['completion', word]
    ])
      expect({ argv, code: (await run(argv)).code }).toEqual({ argv, code: 2 })
    expect((await run(['complete', '--', word, word])).out).toBe('')
  })

  test('is refused by every option that has choices, and by every switch', async () => {
    for (const { words: path, command } of await commandTree()) {
      for (const { long, argChoices, parseArg, optional } of command.options) {
        // What has words and no parser is judged by its command, which may ask for other things first.
        const isJudged = argChoices !== undefined && parseArg !== undefined
        if (long === undefined || long === null || (!isJudged && !optional)) continue
        const argv = [...path, `${long}=${word}`]
        const { code, err } = await run(argv)
        expect({ argv, code }).toEqual({ argv, code: 2 })
        expect(err).toMatch(/choices|true or false|is no IPv6 address with a port/)
      }
    }
  })

  test('is taken by no --set', async () => {
    for (const key of [word, `listen.${word}`, `${word}.port`]) {
      const { code, err } = await run(['node', 'start', '--set', `${key}=1`])
      expect({ key, code }).toEqual({ key, code: 2 })
      expect(err).toContain('there is no such key')
    }
  })
})

const parseValue = (key: string, value: string): string => {
  try {
    parseConfig({ env: {}, flags: { [key]: value } })
    return 'taken'
  } catch (error) {
    return error instanceof Error && error.name === 'ConfigError' ? 'refused' : String(error)
  }
}
