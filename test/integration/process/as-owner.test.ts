import { chmodSync, chownSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runProgram } from '../../helpers/built-program.ts'
import { tempFolder } from '../../helpers/temp.ts'

const nobody = 65_534

it.skipIf(process.getuid?.() !== 0)(
  'root restores and promotes the data of a service: it all stays with the user of the service',
  async () => {
    using folder = tempFolder()
    const env = { TRUSTNET_HOME: folder.path, TRUSTNET_RECOVERY_PASSPHRASE: 'a passphrase of some length' }
    const run = async (...argv: string[]): Promise<string> => {
      const { code, out, err } = await runProgram(argv, env)
      expect([code, err]).toEqual([0, expect.not.stringContaining('error')])
      return out
    }
    await run('init', '--name', 'root', '--domain', 'example.test', '--new-network')
    const safe = join(folder.path, 'safe')
    mkdirSync(safe)
    await run('registry', 'backup', '--to', join(safe, 'registry.db'))
    const data = join(folder.path, 'data/root')
    const owned = [data, folder.path, join(folder.path, 'root.yaml')]
    for (const path of [...owned, ...readdirSync(data).map((name) => join(data, name))]) chownSync(path, nobody, nobody)
    chmodSync(join(folder.path, 'data'), 0o755)
    // What only root can read.
    chmodSync(safe, 0o700)
    await run('registry', 'restore', join(safe, 'registry.db'))
    const plan = await run('registry', 'promote', '--kit', join(data, 'recovery.kit'))
    expect(plan).toContain('New epoch   1')
    await run('registry', 'promote', '--kit', join(data, 'recovery.kit'), '--yes')
    const names = readdirSync(data)
    expect(names.filter((name) => statSync(join(data, name)).uid !== nobody)).toEqual([])
    expect(names.filter((name) => name.startsWith('.read-'))).toEqual([])
    expect(statSync(join(folder.path, 'root.yaml')).uid).toBe(nobody)
  }
)
