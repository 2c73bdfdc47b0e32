import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { StatusView } from '../../../src/node/api/views.ts'
import { verifyStore } from '../../../src/registry/backup/verify-store.ts'
import { type Running, runProgram, startProgram } from '../../helpers/built-program.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually } from '../../helpers/network.ts'
import { tempFolder } from '../../helpers/temp.ts'

let home: string
let root: Running
const data = (name: string) => join(home, 'data', 'root', name)
const cli = (...args: string[]) => runProgram(args, { TRUSTNET_HOME: home })
const quiet = ['--set', 'announce.allow=loopback', '--set', 'bootstrap.dnsServers=[::1]:1']
const start = (): Running =>
  startProgram(['registry', 'start', '--name', 'root', '--port', '0', ...quiet], { TRUSTNET_HOME: home })
const status = async (): Promise<StatusView | undefined> => {
  const { out } = await cli('status', '--json')
  return out === '' ? undefined : (JSON.parse(out) as StatusView)
}
const isUp = async () => (await status())?.membership.state === 'member'
/** A network of its own, whose root runs. */
const startNew = async (): Promise<void> => {
  const made = await cli('init', '--name', 'root', '--domain', 'gone.test', '--new-network', '--json')
  expect(made.code).toBe(0)
  root = start()
  await eventually(isUp, ceilingMs)
}
const stop = async (signal: NodeJS.Signals): Promise<void> => {
  root.process.kill(signal)
  await root.ended
}

/** What somebody does to the files of a running registry. */
const deeds: [string, () => void, RegExp][] = [
  ['the store is removed', () => rmSync(data('registry.db')), /registry\.db was removed or moved away/],
  [
    'the data folder is moved',
    () => renameSync(data(''), join(home, 'moved')),
    /registry\.db was removed or moved away/
  ],
  ['the write-ahead log is removed', () => rmSync(data('registry.db-wal')), /registry\.db-wal was removed/],
  [
    'the store is replaced by a copy of itself',
    () => {
      copyFileSync(data('registry.db'), data('copy'))
      renameSync(data('copy'), data('registry.db'))
    },
    /registry\.db was replaced by another file/
  ],
  [
    'another file is copied over the store',
    () => writeFileSync(data('registry.db'), readFileSync(data('registry.db'))),
    /registry\.db was changed by another program/
  ]
]

describe('a root whose store goes under it', () => {
  let folder: ReturnType<typeof tempFolder>
  beforeEach(async () => {
    folder = tempFolder()
    home = folder.path
    await startNew()
  })
  afterEach(async () => {
    await stop('SIGKILL')
    folder[Symbol.dispose]()
  })

  it.each(deeds)('%s: it signs nothing more, says so, and what it holds can be saved', async (_, deed, what) => {
    expect((await cli('invite')).code).toBe(0)
    deed()
    const invited = await cli('invite')
    expect(invited).toMatchObject({ code: 1, out: '' })
    expect(invited.err).toMatch(what)
    const alarms = (await status())?.warnings.map(({ message }) => message).join('\n')
    expect(alarms).toMatch(what)
    mkdirSync(join(home, 'saved'))
    const saved = join(home, 'saved', 'store.db')
    expect(await cli('registry', 'backup', '--to', saved)).toMatchObject({ code: 0 })
    expect(await verifyStore(saved)).toMatchObject({ domain: 'gone.test' })
    await stop('SIGTERM')
  })
})

describe('a root that lost files while it was stopped', () => {
  let stopped: ReturnType<typeof tempFolder>
  let folder: ReturnType<typeof tempFolder>
  beforeAll(async () => {
    stopped = tempFolder()
    home = stopped.path
    await startNew()
    await stop('SIGTERM')
  })
  afterAll(() => stopped[Symbol.dispose]())
  beforeEach(() => {
    folder = tempFolder()
    cpSync(stopped.path, folder.path, { recursive: true })
    home = folder.path
  })
  afterEach(async () => {
    await stop('SIGKILL')
    folder[Symbol.dispose]()
  })

  it('a start without the store says that it is gone, and never that a network is to be made', async () => {
    rmSync(data('registry.db'))
    const again = await start().ended
    expect(again.code).toBe(2)
    expect(again.err).toContain('registry.db is not there, but')
    expect(again.err).not.toContain('init')
    expect(existsSync(data('registry.db'))).toBe(false)
    const made = await cli('init', '--name', 'root', '--domain', 'gone.test', '--new-network')
    expect(made.code).toBe(2)
    expect(made.err).toContain('log.key is there already, of an earlier network')
  })

  it.each(['operator.key', 'recovery.kit', 'next-recovery.kit', 'recovery.passphrase', 'log.key.next'])(
    '%s alone, or the network that the file names, says that there was one: no start and no init makes another',
    async (left) => {
      for (const name of readdirSync(data(''))) {
        if (name === 'log.key' && left === 'log.key.next') renameSync(data(name), data(left))
        else if (name !== left && name !== 'node.key') rmSync(data(name), { recursive: true })
      }
      writeFileSync(data(left), 'x', { flag: 'a', mode: 0o600 })
      const again = await start().ended
      expect(again.code).toBe(2)
      expect(again.err).toContain(`registry.db is not there, but ${data(left)} is`)
      const made = await cli('init', '--name', 'root', '--domain', 'gone.test', '--new-network')
      expect(made.code).toBe(2)
      expect(made.err).toContain(`${left} is there already`)
      rmSync(data(left))
      const pinned = await start().ended
      expect(pinned.code).toBe(2)
      expect(pinned.err).toMatch(/registry\.db is not there, and the configuration names tn\w+/)
      const before = readFileSync(join(home, 'root.yaml'), 'utf8')
      const named = await cli('init', '--name', 'root', '--domain', 'gone.test')
      expect(named.code).toBe(2)
      expect(named.err).toContain('the configuration names the network tn')
      expect(readFileSync(join(home, 'root.yaml'), 'utf8')).toBe(before)
    }
  )

  it('a start without the key of the node says so and makes no other node, which another key would be', async () => {
    renameSync(data('node.key'), join(home, 'kept.key'))
    const again = await start().ended
    expect(again).toMatchObject({ code: 2, out: '' })
    expect(again.err).toMatch(/node\.key is not there, but .*registry\.db is: .*registry recover --kit/)
    expect(existsSync(data('node.key'))).toBe(false)
    renameSync(join(home, 'kept.key'), data('node.key'))
    root = start()
    await eventually(isUp, ceilingMs)
  })
})
