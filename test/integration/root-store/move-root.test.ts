import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Running, runProgram, startProgram } from '../../helpers/built-program.ts'
import { changesOf, signalledAt } from '../../helpers/faults/at-a-change.ts'
import { type StoppedRoot, stoppedEnv, stoppedRoot } from '../../helpers/faults/stopped-root.ts'
import { eventually } from '../../helpers/network.ts'
import { EtcdCluster, hasEtcd } from '../../helpers/servers/etcd.ts'
import { hasPostgres, PostgresServer } from '../../helpers/servers/postgres.ts'
import { tempFolder } from '../../helpers/temp.ts'

const own = 'sqlite'

describe.runIf(hasPostgres && hasEtcd)('registry move-root', () => {
  let postgres: PostgresServer
  let etcd: EtcdCluster
  let made: StoppedRoot
  let there: string

  beforeAll(async () => {
    ;[postgres, etcd, made] = await Promise.all([PostgresServer.start(), EtcdCluster.start(1), stoppedRoot()])
    const password = join(made.path, 'password')
    writeFileSync(password, PostgresServer.password, { mode: 0o600 })
    there = `${postgres.url}?passwordfile=${password}`
  })

  afterAll(async () => {
    made[Symbol.dispose]()
    await Promise.all([postgres[Symbol.asyncDispose](), etcd[Symbol.asyncDispose]()])
  })

  let folder: ReturnType<typeof tempFolder>
  let process: Running | undefined

  beforeEach(async () => {
    await postgres.sql('DROP TABLE IF EXISTS trustnet_root, trustnet_entry, trustnet_candidate')
    await etcd.clear()
    folder = tempFolder()
    cpSync(made.path, folder.path, { recursive: true })
  })

  afterEach(async () => {
    process?.process.kill('SIGKILL')
    await process?.ended
    process = undefined
    folder[Symbol.dispose]()
  })

  const config = (): string => readFileSync(join(folder.path, 'root.yaml'), 'utf8')
  const trustnet = async (...argv: string[]) => await runProgram(argv, stoppedEnv(folder.path))
  const moved = (to: string, ...more: string[]): string[] => ['registry', 'move-root', '--to', to, ...more]
  const move = async (to: string, ...more: string[]) => await trustnet(...moved(to, '--node', 'root', ...more))
  const appends = async (): Promise<boolean> => (await trustnet('invite', '--node', 'root')).code === 0
  const start = async (): Promise<void> => {
    process = startProgram(['registry', 'start', '--name', 'root'], stoppedEnv(folder.path))
    await eventually(appends)
  }
  const status = async () => JSON.parse((await trustnet('registry', 'status', '--node', 'root', '--json')).out)

  /** Where somebody could get a lease: the database in which the log has not moved elsewhere. */
  const places = async (): Promise<string[]> => {
    const rows = await postgres.sql('SELECT holder FROM trustnet_root').catch(() => [])
    const term = await etcd.stored('term')
    const holders = { [there]: rows[0]?.['holder'], [etcd.url()]: term === undefined ? term : JSON.parse(term).holder }
    const open = Object.entries(holders).filter(
      ([, holder]) => holder !== undefined && !String(holder).startsWith('moved')
    )
    return open.map(([place]) => place)
  }

  /** The one database that has the log, all of it, or none. */
  const isWholeAt = async (to: string): Promise<void> => {
    expect(await places()).toEqual(to === own ? [] : [to])
    const { log, rootStore, appends: isRoot } = await status()
    expect(isRoot).toBe(true)
    if (to === own) return expect(rootStore).toBeNull()
    // What it says of the database is what it saw at its last look.
    await expect
      .poll(async () => (await status()).rootStore)
      .toMatchObject({ store: to, held: true, lacks: 0, head: log.head })
    if (to !== there) return
    const sql = 'SELECT min(n)::int AS first, max(n)::int AS last, count(*)::int AS count FROM trustnet_entry'
    expect(await postgres.sql(sql)).toEqual([{ first: 1, last: log.head, count: log.head }])
  }

  it('moves the log of a running root from place to place and back, each time all of it, and says so', async () => {
    await start()
    const before = config()
    const plan = await move(there)
    expect(plan).toMatchObject({ code: 0, out: expect.stringMatching(/kept by sqlite\nGoes to.*Nothing was changed/s) })
    expect([config(), await places()]).toEqual([before, []])
    for (const to of [there, etcd.url(), there, own, own]) {
      expect(await move(to, '--yes')).toMatchObject({ code: 0, out: expect.stringContaining(`kept by ${to}`) })
      expect(config()).toContain(`store: ${to}`)
      expect(await appends()).toBe(true)
      await isWholeAt(to)
    }
    expect(JSON.parse((await move(there, '--yes', '--json')).out)).toMatchObject({
      applied: true,
      from: own,
      to: there,
      isRoot: true,
      there: { isMoved: true, holder: 'moved to sqlite' }
    })
    // A restart finds it there.
    process?.process.kill('SIGTERM')
    await process?.ended
    await start()
    await isWholeAt(there)
  })

  it('leaves all as it was where the other side, or this one, gives no answer', async () => {
    await start()
    const before = config()
    await postgres.down('fast')
    expect(await move(there, '--yes')).toMatchObject({
      code: 7,
      err: expect.stringContaining('the database of the log')
    })
    expect([config(), await appends()]).toEqual([before, true])
    await postgres.up()
    expect(await move(there, '--yes')).toMatchObject({ code: 0 })
    const held = config()
    await postgres.down('fast')
    expect((await move(own, '--yes')).code).not.toBe(0)
    expect(config()).toBe(held)
    await postgres.up()
    await eventually(appends)
    await isWholeAt(there)
  })

  it('leaves one place that has all when the process is killed at any moment, and goes on at its next start', async () => {
    await start()
    const targets = [there, etcd.url(), own]
    for (let round = 0; round < 6; round++) {
      const to = targets[round % targets.length] ?? own
      const command = startProgram(moved(to, '--node', 'root', '--yes', '--wait', '1s'), stoppedEnv(folder.path))
      await eventually(() => config().includes(`store: ${to}`))
      await sleep(round * 150)
      process?.process.kill('SIGKILL')
      await Promise.all([process?.ended, command.ended])
      expect((await places()).length).toBeLessThanOrEqual(1)
      await start()
      expect(await move(to, '--yes')).toMatchObject({ code: 0 })
      await isWholeAt(to)
    }
  })

  it('moves the log of a stopped root, also when it is killed at any of its changes and given again', async () => {
    const command = moved(there, '--name', 'root', '--yes')
    const all = await changesOf(command, stoppedEnv(folder.path), join(folder.path, 'trace'))
    for (let k = 0; k < 5; k++) {
      const change = all[Math.round((k * (all.length - 1)) / 4)]
      if (change === undefined) throw new Error('it changes nothing')
      rmSync(folder.path, { recursive: true })
      cpSync(made.path, folder.path, { recursive: true })
      await postgres.sql('DROP TABLE IF EXISTS trustnet_root, trustnet_entry, trustnet_candidate')
      expect(await signalledAt(change, 'SIGKILL', command, stoppedEnv(folder.path))).toMatchObject({ code: null })
      expect(await trustnet(...command)).toMatchObject({ code: 0, out: expect.stringContaining('Start it') })
      expect(config()).toContain(`store: ${there}`)
    }
    await start()
    await isWholeAt(there)
    process?.process.kill('SIGTERM')
    await process?.ended
    expect(await trustnet(...moved(own, '--name', 'root', '--yes'))).toMatchObject({ code: 0 })
    await start()
    await isWholeAt(own)
  })
})
