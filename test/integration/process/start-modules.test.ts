import { expect, it } from 'vitest'
import { runProgram } from '../../helpers/built-program.ts'
import { tempFolder } from '../../helpers/temp.ts'

/** Prints the address of each module that is loaded, on the last line of stderr. */
const hook = `import { registerHooks } from 'node:module'
import { writeSync } from 'node:fs'
const urls = []
registerHooks({ load: (url, context, next) => { urls.push(url); return next(url, context) } })
process.on('exit', () => writeSync(2, '\\n' + JSON.stringify(urls)))`

async function modulesOf(argv: readonly string[]): Promise<string[]> {
  using home = tempFolder()
  const { err } = await runProgram(argv, {
    TRUSTNET_HOME: home.path,
    NODE_OPTIONS: `--import data:text/javascript;base64,${Buffer.from(hook).toString('base64')}`
  })
  const urls: string[] = JSON.parse(err.slice(err.lastIndexOf('\n')))
  return urls.filter((url) => url.startsWith('file:'))
}

const packageOf = (url: string): string | undefined => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]

/** Modules that each of these may load: a few more than it does. Loading is most of what such a command costs. */
const most = 75
const short = [
  ['version'],
  ['--version'],
  ['completion', 'bash'],
  ['complete', '--', 'peers', '--state', ''],
  ['peers'],
  ['status'],
  ['why', 'somebody']
]

it.each(short)('`trustnet %s …` loads little but the command line', async (...argv) => {
  const modules = await modulesOf(argv)
  const packages = new Set(modules.map(packageOf).filter((name) => name !== undefined))
  expect([...packages].toSorted()).toEqual(['cli-table3', 'commander', 'emoji-regex', 'string-width'])
  expect(modules.length).toBeGreaterThan(10)
  expect(modules.length).toBeLessThan(most)
})
