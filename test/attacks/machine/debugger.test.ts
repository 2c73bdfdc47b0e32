import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect } from 'vitest'
import { controlClient } from '../../../src/node/api/client.ts'
import { handlesSignals, startProgram } from '../../helpers/built-program.ts'
import { stoppedEnv, stoppedRoot } from '../../helpers/faults/stopped-root.ts'
import { eventually } from '../../helpers/network.ts'
import { attack, control } from '../attack.ts'

attack('SIGUSR1, at which Node opens a debugger for everybody on the machine', async () => {
  using root = await stoppedRoot()
  const program = startProgram(['registry', 'start'], stoppedEnv(root.path))
  await handlesSignals(program.process.pid)
  const client = controlClient({ path: join(root.path, 'run', 'root.sock') })
  const pid = async (): Promise<number | undefined> => (await client.status().catch(() => undefined))?.self.pid
  await eventually(async () => (await pid()) === program.process.pid)
  for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) {
    program.process.kill(signal)
    // A debugger says where it listens before two answers have come.
    expect([await pid(), await pid()]).toEqual([program.process.pid, program.process.pid])
  }
  program.process.kill('SIGTERM')
  const { code, err } = await program.ended
  expect({ code, err }).toEqual({ code: 0, err: expect.not.stringMatching(/debugger/i) })
  return {
    happened: 'SIGUSR1 and SIGUSR2 to a root: 0 debuggers, 2 of 2 questions answered after each',
    held: 'the program takes both signals itself, before it reads anything, and does nothing at them'
  }
})

control('a plain process of Node opens one', async () => {
  const plain = spawn(process.execPath, ['--inspect-port=0', '-e', "setInterval(() => {}, 1_000); console.log('up')"], {
    env: {}
  })
  let err = ''
  plain.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  try {
    await once(plain.stdout, 'data')
    plain.kill('SIGUSR1')
    await eventually(() => /debugger/i.test(err))
  } finally {
    plain.kill('SIGKILL')
  }
})
