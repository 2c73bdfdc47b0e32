import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { controlClient } from '../../../src/node/api/client.ts'
import { runCli } from '../../helpers/control-process.ts'
import { eventually } from '../../helpers/network.ts'

const libraries = '/usr/lib'
const faketime = readdirSync(libraries)
  .map((folder) => join(libraries, folder, 'faketime', 'libfaketimeMT.so.1'))
  .find((path) => existsSync(path))
const node = fileURLToPath(new URL('../../../node_modules/.bin/node', import.meta.url))
const program = fileURLToPath(new URL('../../../dist/bin/trustnet.js', import.meta.url))

it.skipIf(faketime === undefined)(
  'a root in a process of its own signs nothing while the clock of its machine is 400 days ahead',
  async () => {
    const home = mkdtempSync(join(tmpdir(), 'tn-clock-'))
    const offset = join(home, 'offset')
    writeFileSync(offset, '+0d\n')
    const made = await runCli(['init', '--domain', 'net.test', '--name', 'root', '--new-network', '--port', '8137'], {
      home
    })
    expect(made.code).toBe(0)
    const child = spawn(node, [program, 'registry', 'start', '--config', join(home, 'root.yaml')], {
      env: {
        ...process.env,
        TRUSTNET_HOME: home,
        LD_PRELOAD: faketime,
        FAKETIME_TIMESTAMP_FILE: offset,
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1'
      },
      stdio: 'ignore'
    })
    try {
      const client = controlClient({ path: join(home, 'run', 'root.sock') })
      const clock = async () => await client.clock().catch(() => undefined)
      await eventually(async () => (await clock())?.appends === true)
      await client.invite({ role: 'integrated' })
      const { log } = await client.registryStatus()
      writeFileSync(offset, '+400d\n')
      await eventually(async () => (await clock())?.appends === false)
      expect((await clock())?.message).toContain('has stepped by')
      await expect(client.invite({ role: 'integrated' })).rejects.toThrow(/nothing is signed/)
      await eventually(async () => (await client.status()).warnings.some(({ code }) => code === 'clock_step'))
      expect((await client.registryStatus()).log).toMatchObject({ head: log.head, checkpointMs: log.checkpointMs })
      writeFileSync(offset, '+0d\n')
      await eventually(async () => (await clock())?.appends === true)
      await client.invite({ role: 'integrated' })
    } finally {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
      rmSync(home, { recursive: true, force: true })
    }
  }
)
