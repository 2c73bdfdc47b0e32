import { execFileSync, spawnSync } from 'node:child_process'
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync
} from 'node:fs'
import { basename, join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { describe, expect, it, test } from 'vitest'
import { dataFiles } from '../../../src/node/config/paths.ts'
import { firstBackupMs, Housekeeping } from '../../../src/node/housekeeping.ts'
import { peekGenesis } from '../../../src/registry/registry.ts'
import { silentLogger, systemClock } from '../../../src/runtime/clock-and-logger.ts'
import { type Running, Supervisor } from '../../../src/runtime/supervisor.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

/** Runs it while this process can open nothing more. */
const withoutDescriptors = (work: () => void): void => {
  const limit = (soft: string) => execFileSync('prlimit', ['--pid', `${process.pid}`, `--nofile=${soft}:`])
  const before = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? '1024'
  limit('512')
  const held: number[] = []
  try {
    for (;;) held.push(openSync('/dev/null', 'r'))
  } catch (error) {
    expect(error).toMatchObject({ code: 'EMFILE' })
    work()
  } finally {
    for (const file of held) closeSync(file)
    limit(before)
  }
}

/** How many series of backups run. */
class CountedBackups extends Supervisor {
  series = 0

  override run(...[name, service]: Parameters<Supervisor['run']>): Running {
    const running = super.run(name, service)
    if (name !== 'backup') return running
    this.series++
    return {
      ...running,
      stop: async () => {
        await running.stop()
        this.series--
      }
    }
  }
}

test.each([
  ['none was ever made: soon', null, 60_000],
  ['one is overdue: soon', -7_200_000, 60_000],
  ['some of the interval is over: for the rest of it', -1_200_000, 2_400_000],
  ['the last one was made by a clock that went ahead: after an interval', 86_400_000, 3_600_000]
])('the first backup of a process comes, where %s', (_, lastAgo, pauseMs) => {
  const now = Date.UTC(2026, 0, 1)
  expect(firstBackupMs(lastAgo === null ? null : now + lastAgo, 3_600_000, now)).toBe(pauseMs)
})

describe('housekeeping of a node', () => {
  it('keeps the newest backups, each of them a whole store', async () => {
    await using network = await TestNetwork.create()
    const { registry, config } = network.node('root')
    let now = Date.UTC(2026, 0, 1)
    const folder = join(network.folder, 'backups')
    const housekeeping = new Housekeeping({
      registry,
      config: { ...config, backup: { ...config.backup, path: folder, keep: 2 } },
      clock: { ...systemClock, now: () => (now += 60_000) },
      logger: silentLogger
    })
    for (let backup = 0; backup < 3; backup++) await housekeeping.backUp()
    const kept = ['registry-20260101T000200000Z.db', 'registry-20260101T000300000Z.db']
    expect(readdirSync(folder).toSorted()).toEqual(kept.flatMap((name) => [name, `${name}.json`]))
    expect(
      Buffer.compare(
        peekGenesis(join(folder, 'registry-20260101T000300000Z.db')) ?? Buffer.of(),
        registry.genesis.bytes
      )
    ).toBe(0)
    expect((await network.node('root').control.registryStatus()).store.lastBackupMs).toBe(now)
  })

  it('keeps the one that was made last, also where the clock was ahead or behind meanwhile', async () => {
    await using network = await TestNetwork.create()
    const { registry, config } = network.node('root')
    const [ahead, behind] = [400 * 86_400_000, 20_000 * 86_400_000]
    let now = Date.UTC(2026, 0, 1)
    const folder = join(network.folder, 'backups')
    const housekeeping = new Housekeeping({
      registry,
      config: { ...config, backup: { ...config.backup, path: folder, keep: 1 } },
      clock: { ...systemClock, now: () => now },
      logger: silentLogger
    })
    for (const stepMs of [ahead, -ahead, -behind, behind]) {
      now += stepMs
      const { path } = await housekeeping.backUp()
      expect(readdirSync(folder).toSorted()).toEqual([basename(path), `${basename(path)}.json`])
    }
  })

  it('removes what killed processes have left: parts of backups, and files that nobody fetches any more', async () => {
    await using network = await TestNetwork.create()
    const { registry, config } = network.node('root')
    const folder = join(network.folder, 'backups')
    const { data } = config.paths
    mkdirSync(folder)
    const gone = spawnSync('true').pid
    const left = ['', '.json', '-journal'].map((end) =>
      join(folder, `registry-20250101T000000000Z.db.unfinished${end}`)
    )
    const lost = [join(data, `.for-${gone}-copy.db`), join(data, `.for-${gone}-copy.db.json`)]
    const kept = [join(data, `.for-${process.pid}-copy.db`), join(folder, 'notes.unfinished')]
    for (const file of [...left, ...lost, ...kept]) writeFileSync(file, 'x')
    const folders = (pid: number): string[] => ['plan', 'read'].map((what) => join(data, `.${what}-${pid}-a1b2c3`))
    lost.push(...folders(gone))
    kept.push(...folders(process.pid))
    for (const copies of [...folders(gone), ...folders(process.pid)]) {
      mkdirSync(copies)
      writeFileSync(join(copies, 'recovery.kit'), 'x')
    }
    const init = { registry, config: { ...config, backup: { ...config.backup, path: folder } } }
    await new Housekeeping({ ...init, clock: systemClock, logger: silentLogger }).backUp()
    expect([...left, ...lost, ...kept].filter((file) => existsSync(file))).toEqual(kept)
  })

  it('has one series of backups, however many reloads come at once, and none after its end', async () => {
    await using network = await TestNetwork.create()
    const { registry, config } = network.node('root')
    const services = new CountedBackups()
    const backup = { ...config.backup, enabled: true, path: join(network.folder, 'backups') }
    const init = { registry, config: { ...config, backup }, clock: systemClock, logger: silentLogger }
    const housekeeping = new Housekeeping(init)
    housekeeping.start(services)
    await Promise.all([housekeeping.backupsAnew(services), housekeeping.backupsAnew(services)])
    expect(services.series).toBe(1)
    await Promise.all([housekeeping.backupsAnew(services), housekeeping.stop()])
    await housekeeping.backupsAnew(services)
    expect(services.series).toBe(0)
  })

  it('keeps backups that are made at the same time apart', async () => {
    await using network = await TestNetwork.create()
    const { registry, config } = network.node('root')
    const folder = join(network.folder, 'backups')
    const housekeeping = new Housekeeping({
      registry,
      config: { ...config, backup: { ...config.backup, path: folder } },
      clock: { ...systemClock, now: () => Date.UTC(2026, 0, 1) },
      logger: silentLogger
    })
    const made = await Promise.all([housekeeping.backUp(), housekeeping.backUp()])
    expect(new Set(made.map(({ path }) => path)).size).toBe(2)
    expect(readdirSync(folder).filter((name) => name.endsWith('.db'))).toHaveLength(2)
  })

  it('raises an alarm when the file of a key is removed, or holds another key', async () => {
    await using network = await TestNetwork.create()
    const { registry, config, housekeeping } = network.node('root')
    const alarm = () => registry.alarms.list().find(({ code }) => code === 'key_gone')
    housekeeping?.checkKeys()
    expect(alarm()).toBeUndefined()
    const { logKey } = dataFiles(config.paths.data)
    renameSync(config.paths.key, `${config.paths.key}.aside`)
    housekeeping?.checkKeys()
    expect(alarm()?.message).toContain(`${config.paths.key} is not what this process has: key file`)
    renameSync(`${config.paths.key}.aside`, config.paths.key)
    registry.alarms.acknowledge('key_gone')
    copyFileSync(config.paths.key, logKey)
    housekeeping?.checkKeys()
    expect(alarm()).toMatchObject({ acknowledged: false, fields: { path: logKey } })
    expect(alarm()?.message).toContain('it holds another key now')
  })

  it('accuses nobody of having taken a key while no descriptor is free to look', async () => {
    await using network = await TestNetwork.create()
    const { registry, housekeeping } = network.node('root')
    withoutDescriptors(() => housekeeping?.checkKeys())
    expect(registry.alarms.list()).toEqual([])
  })

  it('makes no backup of a store in which a signature has changed, and raises an alarm', async () => {
    await using network = await TestNetwork.create()
    await network.node('root').stop()
    const path = join(network.config('root').config.paths.data, 'registry.db')
    const db = new BetterSqlite3(path)
    db.exec("UPDATE log SET envelope = CAST(substr(envelope, 1, length(envelope) - 1) || x'ff' AS BLOB) WHERE n = 1")
    db.close()
    const { registry, config } = await network.start('root', { role: 'root' })
    const backup = { ...config.backup, path: join(network.folder, 'backups'), intervalMs: 50 }
    const housekeeping = new Housekeeping({
      registry,
      config: { ...config, backup },
      clock: systemClock,
      logger: silentLogger
    })
    housekeeping.start(new Supervisor())
    await eventually(() => registry.alarms.list().some(({ code }) => code === 'no_backup'))
    await housekeeping.stop()
    expect(registry.alarms.list().find(({ code }) => code === 'no_backup')?.message).toMatch(
      /entry 1 is not what was signed/
    )
    expect(readdirSync(backup.path)).toEqual([])
  })

  it('runs the operator’s command for an alarm, with its words in the environment', async () => {
    await using network = new TestNetwork()
    const told = join(network.folder, 'told')
    await using other = await TestNetwork.create({ 'alarms.hook': `echo "$ALARM_CODE: $ALARM_MESSAGE" > ${told}` })
    other.node('root').registry.alarms.raise('log_fork', 'two histories; $(touch nothing)')
    await eventually(() => readdirSync(network.folder).includes('told') && readFileSync(told, 'utf8') !== '')
    expect(readFileSync(told, 'utf8')).toBe('log_fork: two histories; $(touch nothing)\n')
  })
})
