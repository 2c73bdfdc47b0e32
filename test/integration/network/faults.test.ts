import { expect, it } from 'vitest'
import { runProgram, startProgram } from '../../helpers/built-program.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually } from '../../helpers/network.ts'
import { tempFolder } from '../../helpers/temp.ts'

/** Code that runs in the program before its own, as a library that fails would. */
const planted = (code: string) => ({ NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` })

const makeRoot = async (home: string): Promise<void> => {
  const args = ['init', '--name', 'root', '--domain', 'faults.test', '--new-network', '--json']
  expect((await runProgram(args, { TRUSTNET_HOME: home })).code).toBe(0)
}

const start = (home: string, code: string) =>
  startProgram(['registry', 'start', '--port', '0', '--set', 'announce.allow=loopback'], {
    TRUSTNET_HOME: home,
    ...planted(code)
  })

it('a daemon in which something fails unhandled says what, stops in order and ends with 1', async () => {
  using folder = tempFolder()
  await makeRoot(folder.path)
  // When the node has said that it listens.
  const code = `const write = process.stdout.write
    process.stdout.write = function (text, ...more) {
      if (String(text).includes('listening on')) Promise.reject(new Error('a planted fault'))
      return write.call(this, text, ...more)
    }`
  const ran = await start(folder.path, code).ended
  expect(ran.code).toBe(1)
  expect(ran.out).toContain('a failure that no code handled')
  expect(ran.out).toContain('"message":"stopped"')
  expect(ran.err).toContain('A failure that no code handled: a planted fault. This is a fault of TrustNet')
})

it('a warning of the process is a line of the log', async () => {
  using folder = tempFolder()
  await makeRoot(folder.path)
  const running = start(folder.path, `setTimeout(() => setInterval(() => process.emitWarning('planted'), 100), 500)`)
  let out = ''
  running.process.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()))
  await eventually(() => out.includes('"message":"planted"'), ceilingMs)
  running.process.kill('SIGTERM')
  expect((await running.ended).code).toBe(0)
})
