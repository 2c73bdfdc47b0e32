import { execFileSync } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync
} from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { controlClient } from '../../../src/node/api/client.ts'
import { configWriter, saveConfigValue } from '../../../src/node/config/index.ts'
import { runProgram, startProgram } from '../../helpers/built-program.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually } from '../../helpers/network.ts'

describe.runIf(process.getuid?.() === 0)('on a full disk', () => {
  let home: string
  let disk: string

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'tn-full-'))
    disk = join(home, 'disk')
    mkdirSync(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk])
  })
  afterEach(() => {
    execFileSync('umount', ['-l', disk])
    rmSync(home, { recursive: true, force: true })
  })

  const fill = (): void => {
    const { bavail, bsize } = statfsSync(disk)
    writeFileSync(join(disk, 'filler'), new Uint8Array(bavail * bsize))
  }

  it('a registry loses lines of its log, says so, goes on, and writes whole lines when there is room again', async () => {
    const env = { TRUSTNET_HOME: home, TRUSTNET_ANNOUNCE_ALLOW: 'loopback', TRUSTNET_LISTEN_PORT: '0' }
    const init = ['init', '--name', 'root', '--domain', 'full.test', '--policy', 'open', '--new-network', '--json']
    expect(await runProgram(init, env)).toMatchObject({ code: 0 })
    const file = join(disk, 'log')
    const log = openSync(file, 'a')
    const program = startProgram(['registry', 'start'], { ...env, TRUSTNET_LOGGING_LEVEL: 'debug' }, { stdout: log })
    closeSync(log)
    const client = controlClient({ path: join(home, 'run', 'root.sock') })
    const lost = async () => (await client.status()).warnings.some(({ code }) => code === 'log_lost')
    // What says nothing, and hangs up, is worth a line at this level.
    const provoke = async (): Promise<void> => {
      const { announced } = await client.status()
      const port = Number(/tcp\/(\d+)/.exec(announced[0] ?? '')?.[1])
      await new Promise<void>((resolve) => connect({ host: '::1', port }, resolve).on('close', resolve).end('x'))
    }
    const until = (isLost: boolean) =>
      eventually(async () => {
        await provoke()
        return (await lost()) === isLost
      })
    try {
      await eventually(async () => (await client.status().catch(() => undefined))?.word === 'healthy', ceilingMs)
      fill()
      await until(true)
      expect((await client.status()).word).toBe('healthy')
      rmSync(join(disk, 'filler'))
      await until(false)
    } finally {
      program.process.kill('SIGTERM')
    }
    expect(await program.ended).toMatchObject({ code: 0 })
    const broken = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !isJson(line))
    // The line that no longer fitted; none was written behind it.
    expect(broken.length).toBeLessThanOrEqual(1)
    for (const line of broken) expect(line.split('"level"').length).toBeLessThanOrEqual(2)
  })

  it('a configuration that cannot be written stays as it was, and nothing is left beside it', () => {
    const file = join(disk, 'node.yaml')
    const text = `domain: full.test\n# ${'x'.repeat(4070)}\n`
    writeFileSync(file, text)
    const write = configWriter(file)
    fill()
    const name = 'n'.repeat(63)
    expect(() => saveConfigValue(file, 'name', name)).toThrow('ENOSPC')
    expect(() => write?.({ name, 'paths.data': `/${'d'.repeat(4000)}` })).toThrow('ENOSPC')
    expect(readFileSync(file, 'utf8')).toBe(text)
    expect(readdirSync(disk).toSorted()).toEqual(['filler', 'node.yaml'])
    rmSync(join(disk, 'filler'))
    saveConfigValue(file, 'name', name)
    expect(readFileSync(file, 'utf8')).toContain(`name: ${name}`)
  })
})

const isJson = (line: string): boolean => {
  try {
    JSON.parse(line)
    return true
  } catch {
    return false
  }
}
