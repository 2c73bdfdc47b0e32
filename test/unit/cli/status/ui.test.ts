import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { statusView } from '../../../helpers/commands/control-views.ts'
import { ControlHome, runCli, ScriptedApi } from '../../../helpers/control-process.ts'
import { eventually } from '../../../helpers/network.ts'
import { tempFolder } from '../../../helpers/temp.ts'

const address = 'http://[::1]:8080/'
const path = process.env['PATH'] ?? ''
let home: ControlHome
const hal = new ScriptedApi()
beforeAll(async () => {
  home = await ControlHome.create()
  await home.serve('hal', hal)
})
afterAll(() => home[Symbol.asyncDispose]())

/** A program that stands in the place of the desktop's, and writes down what it was called with and what it knows of the desktop. */
const opener = (folder: string) => {
  const [file, told] = [join(folder, 'xdg-open'), join(folder, 'told')]
  writeFileSync(file, `#!/bin/sh\necho "$*" "$DISPLAY" "$TRUSTNET_SECRET" > ${told}.new && mv ${told}.new ${told}\n`)
  chmodSync(file, 0o700)
  return { told, env: { PATH: `${folder}:${path}`, DISPLAY: ':7', TRUSTNET_SECRET: 'not for it' } }
}

test('prints the address, and with a desktop opens it there, which is told nothing else', async () => {
  using folder = tempFolder()
  const { told, env } = opener(folder.path)
  const { code, out } = await runCli(['ui'], { home: home.folder, env, columns: 80 })
  expect({ code, out }).toEqual({ code: 0, out: `${address}\n` })
  await eventually(() => existsSync(told))
  expect(readFileSync(told, 'utf8')).toBe(`${address} :7 \n`)
})

test('opens nothing without a desktop, on a pipe or for JSON', async () => {
  using folder = tempFolder()
  const { told, env } = opener(folder.path)
  const { DISPLAY, ...bare } = env
  for (const [argv, given, columns] of [
    [['ui'], bare, 80],
    [['ui'], env, undefined],
    [['ui', '--json'], env, 80]
  ] as const) {
    const { code, out } = await runCli([...argv], { home: home.folder, env: given, ...(columns && { columns }) })
    expect(code).toBe(0)
    expect(out).toContain(address)
  }
  expect(DISPLAY).toBe(':7')
  expect(existsSync(told)).toBe(false)
})

test('on a desktop without an opener the address is there, and that is all', async () => {
  const env = { PATH: '/nowhere', DISPLAY: ':7' }
  expect(await runCli(['ui'], { home: home.folder, env, columns: 80 })).toEqual({
    code: 0,
    out: `${address}\n`,
    err: ''
  })
})

test('says which key to set where a process serves no page', async () => {
  hal.statusAnswer = statusView({ http: null })
  const { code, err } = await runCli(['ui'], { home: home.folder })
  expect(code).toBe(2)
  expect(err).toContain('set http.listen to [::1]:8080')
})
