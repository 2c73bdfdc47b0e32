import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { controlClient } from '../../../src/node/api/client.ts'
import { attack, control } from '../../attacks/attack.ts'
import { runProgram, startProgram } from '../../helpers/built-program.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { stoppedEnv, stoppedRoot } from '../../helpers/faults/stopped-root.ts'

/** A root that runs, and its configuration. */
async function running(path: string) {
  const program = startProgram(['registry', 'start'], stoppedEnv(path))
  const client = controlClient({ path: join(path, 'run', 'root.sock') })
  await vi.waitFor(async () => expect((await client.status()).self.role).toBe('root'), {
    timeout: ceilingMs,
    interval: 100
  })
  const file = join(path, 'root.yaml')
  const before = readFileSync(file, 'utf8')
  return {
    program,
    client,
    write: (text: string): void => writeFileSync(file, `${before}\n${text}\n`),
    reload: async () => await runProgram(['reload'], stoppedEnv(path)),
    stop: async (): Promise<number | null> => {
      program.process.kill('SIGTERM')
      return (await program.ended).code
    }
  }
}

/** Readings of the configuration that a process has told of. */
const readings = (said: string): number => said.split(/in force now|the reload failed|nothing that counts/).length - 1

describe('reload', () => {
  test('puts live values in force, names the rest, and changes nothing for a file that is not valid', async () => {
    using root = await stoppedRoot()
    const { write, reload, stop } = await running(root.path)
    write('logging:\n  level: debug\nlimits:\n  peersWanted: 3\ngossip:\n  refresh: 20m')
    const first = await reload()
    expect(first).toMatchObject({ code: 0 })
    expect(first.out).toMatch(/in force now: .*logging\.level/)
    expect(first.out).toContain('needs a restart: gossip.refresh')
    write('logging:\n  level: shout\nlimits:\n  peersWanted: 4')
    const bad = await reload()
    expect(bad.code).toBe(2)
    expect(bad.err).toMatch(/logging\.level.*'shout' is none of/s)
    write('limits:\n  peersWanted: 3\nlogging:\n  level: debug')
    expect((await reload()).out).toContain('nothing that counts now is different')
    expect(await stop()).toBe(0)
  })

  test('is what SIGHUP does, and ends nothing', async () => {
    using root = await stoppedRoot()
    const { program, client, write, stop } = await running(root.path)
    write('logging:\n  level: debug')
    program.process.kill('SIGHUP')
    await vi.waitFor(() => expect(program.soFar()).toContain('in force now: logging.level'), {
      timeout: ceilingMs,
      interval: 100
    })
    write('logging:\n  level: shout')
    program.process.kill('SIGHUP')
    await vi.waitFor(() => expect(program.soFar()).toMatch(/Nothing was changed.*the reload failed/), {
      timeout: ceilingMs,
      interval: 100
    })
    expect((await client.status()).self.role).toBe('root')
    expect(await stop()).toBe(0)
  })

  attack('a storm of SIGHUP, with a configuration that is broken and mended meanwhile', async () => {
    using root = await stoppedRoot()
    const { program, client, write, stop } = await running(root.path)
    let answered = 0
    for (let round = 0; round < 20; round++) {
      write(round % 2 === 0 ? 'logging:\n  level: [' : 'logging:\n  level: debug')
      for (let each = 0; each < 100; each++) program.process.kill('SIGHUP')
      if ((await client.status()).self.role === 'root') answered++
    }
    expect(answered).toBe(20)
    write('limits:\n  peersWanted: 7')
    program.process.kill('SIGHUP')
    await vi.waitFor(() => expect(program.soFar()).toContain('limits.peersWanted'), {
      timeout: ceilingMs,
      interval: 100
    })
    const reads = readings(program.soFar())
    expect(reads).toBeLessThan(200)
    expect(await stop()).toBe(0)
    return {
      happened: `2,000 SIGHUP led to ${reads} readings of the configuration; status was answered ${answered} of 20 times`,
      held: 'one reading a second, and what is not valid changes nothing'
    }
  })

  control('each SIGHUP that waits for the one before is a reading', async () => {
    using root = await stoppedRoot()
    const { program, write, stop } = await running(root.path)
    for (let round = 1; round <= 3; round++) {
      write(round % 2 === 0 ? 'logging:\n  level: [' : 'logging:\n  level: debug')
      program.process.kill('SIGHUP')
      await vi.waitFor(() => expect(readings(program.soFar())).toBe(round), { timeout: ceilingMs, interval: 100 })
    }
    expect(await stop()).toBe(0)
  })
})
