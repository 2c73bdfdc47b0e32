import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { SigningKey } from '../../../src/identity/keys.ts'
import type { RegistryEvents } from '../../../src/registry/events.ts'
import { openRegistry, peekGenesis, type Registry } from '../../../src/registry/registry.ts'
import type { Logger } from '../../../src/runtime/clock-and-logger.ts'
import {
  LogMismatchError,
  NotFoundError,
  NotRootError,
  StoreError,
  StoreGoneError,
  StoreInUseError,
  UnavailableError
} from '../../../src/runtime/errors.ts'
import { day, RealNetwork, recordBy } from '../../helpers/real-network.ts'
import { WokenServices } from '../../helpers/registry/woken-services.ts'
import { tempFolder } from '../../helpers/temp.ts'

const next = <K extends keyof RegistryEvents>({ events }: Registry, type: K): Promise<RegistryEvents[K]> =>
  new Promise((resolve) => {
    events.addEventListener(type, (event: RegistryEvents[K]) => resolve(event), { once: true })
  })

describe('openRegistry', () => {
  it('finds everything again after a restart', async () => {
    await using network = await RealNetwork.create()
    const ann = await network.admit('ann')
    const first = network.root
    await first.records.put(recordBy(first, ann, 1))
    await first.meta.set('seq', Uint8Array.of(7))
    const { n } = first.replica.head
    await first.close()
    const again = await network.startRoot()
    expect(again.replica.head.n).toBe(n)
    expect(again.storeId).toEqual(Buffer.from(first.storeId))
    expect(again.storeId).toHaveLength(16)
    expect(again.records.read(ann.publicKey)?.seq).toBe(1)
    expect(again.meta.get('seq')).toEqual(Buffer.from([7]))
    expect(again.lookup({ name: 'ann' }).rows).toMatchObject([{ name: 'ann', role: 'integrated' }])
    await again.meta.delete('seq')
    expect(again.meta.get('seq')).toBeUndefined()
  })

  it('needs a network, and makes no file without one', async () => {
    using folder = tempFolder()
    const path = join(folder.path, 'registry.db')
    const nodeKey = SigningKey.generate()
    await expect(openRegistry({ path, role: 'integrated', nodeKey })).rejects.toThrow(LogMismatchError)
    expect(existsSync(path)).toBe(false)
    await expect(openRegistry({ path, role: 'root', nodeKey })).rejects.toThrow(NotRootError)
  })

  it('refuses the store of another network, and one that is in use', async () => {
    await using network = await RealNetwork.create()
    await using other = await RealNetwork.create()
    const nodeKey = SigningKey.generate()
    const path = network.path('root')
    await expect(
      openRegistry({ path, role: 'integrated', nodeKey, genesis: other.root.genesis.bytes })
    ).rejects.toThrow(StoreInUseError)
    await network.root.close()
    await expect(
      openRegistry({ path, role: 'integrated', nodeKey, genesis: other.root.genesis.bytes })
    ).rejects.toThrow(StoreError)
    // And lets go of it.
    await network.startRoot()
  })

  it('notices at the next checkpoint that its store is gone, also when nobody asks it for anything', async () => {
    await using network = await RealNetwork.create()
    await network.root.close()
    const services = new WokenServices()
    const root = await network.startRoot({}, { services })
    const alarm = next(root, 'alarm')
    rmSync(network.path('root'))
    services.wake('checkpoints')
    const { detail } = await alarm
    expect(detail).toMatchObject({ code: 'store_gone', message: expect.stringContaining('was removed or moved away') })
    expect(services.services.get('checkpoints')?.everyMs).toBe(60_000)
    await expect(network.invite()).rejects.toThrow(StoreGoneError)
  })

  it('appends nothing at a root that is fenced', async () => {
    await using network = await RealNetwork.create()
    const invite = await network.invite()
    await network.root.close()
    const { admission, root } = await network.startRoot({ root: { fence: 'waits for heads' } })
    await expect(network.invite()).rejects.toThrow(UnavailableError)
    await expect(admission.join(network.wish({ name: 'ann', invite }))).rejects.toThrow(UnavailableError)
    root?.release()
    await root?.reissueRevokes()
    await admission.join(network.wish({ name: 'ann', invite }))
  })

  it('writes what is due when it is closed, and closes once', async () => {
    await using network = await RealNetwork.create()
    const { meta } = network.root
    const written = meta.set('late', Uint8Array.of(1))
    await Promise.all([network.root.close(), network.root.close(), written])
    await expect(meta.set('too late', Uint8Array.of(1))).rejects.toThrow(StoreError)
    const again = await network.startRoot()
    expect(again.meta.get('late')).toBeDefined()
  })
})

describe('a genesis that came from elsewhere', () => {
  it('begins a store, once, and of one network only', async () => {
    using folder = tempFolder()
    await using network = await RealNetwork.create()
    await using other = await RealNetwork.create()
    const path = join(folder.path, 'node', 'registry.db')
    const genesis = network.root.genesis.bytes
    expect(peekGenesis(path)).toBeUndefined()
    const init = { path, role: 'integrated' as const, nodeKey: SigningKey.generate() }
    const enter = async (given: Uint8Array): Promise<void> => {
      await using _ = await openRegistry({ ...init, genesis: given })
    }
    await enter(genesis)
    await enter(genesis)
    await expect(enter(other.root.genesis.bytes)).rejects.toThrow(StoreError)
    expect(peekGenesis(path)).toEqual(Buffer.from(genesis))
    await using registry = await openRegistry(init)
    expect(registry.networkId).toEqual(network.root.networkId)
  })
})

describe('events', () => {
  it('tell of admissions, records and checkpoints, at the root and where they are synced', async () => {
    await using network = await RealNetwork.create()
    const secondary = await network.addSecondary('sec')
    const key = SigningKey.generate()
    const atRoot = next(network.root, 'admitted')
    const atSecondary = next(secondary, 'admitted')
    const checkpoint = next(secondary, 'checkpoint')
    await network.admit('ann', key)
    expect((await atRoot).detail.publicKey).toEqual(key.publicKey)
    await network.sync(secondary)
    expect((await atSecondary).detail.publicKey).toEqual(key.publicKey)
    await checkpoint
    const record = next(secondary, 'record')
    await secondary.records.put(recordBy(secondary, key, 1), { source: 'sync' })
    expect((await record).detail.change).toBe(1)
  })

  it('let a record in that came before its admission', async () => {
    await using network = await RealNetwork.create()
    const key = SigningKey.generate()
    const put = network.root.records.put(recordBy(network.root, key, 1))
    await network.admit('ann', key)
    expect(await put).toMatchObject({ accepted: true })
  })

  it('a membership that ends takes its record along: revoked at once, expired with the next checkpoint', async () => {
    await using network = await RealNetwork.create({ membershipMs: day })
    const { admission, records, root } = network.root
    const ann = await network.admit('ann')
    const bob = await network.admit('bob')
    await records.put(recordBy(network.root, ann, 1))
    await records.put(recordBy(network.root, bob, 1))
    await admission.revoke(ann.publicKey, 'stolen')
    expect(network.root.lookup({ name: 'ann' }).rows).toEqual([])
    await network.root.meta.set('behind', Uint8Array.of(1))
    expect(records.get(ann.publicKey)).toBeUndefined()
    expect(records.get(bob.publicKey)).toBeDefined()
    network.clock.advance(2 * day)
    await root?.checkpoint()
    await network.root.meta.set('behind', Uint8Array.of(2))
    expect(records.get(bob.publicKey)).toBeUndefined()
    expect(network.root.lookup({}).rows.map(({ name }) => name)).not.toContain('bob')
  })
})

describe('the age of a replica', () => {
  it('is that of its newest checkpoint, and grows', async () => {
    await using network = await RealNetwork.create()
    const secondary = await network.addSecondary('sec')
    network.clock.advance(5000)
    expect(secondary.replicaAgeMs()).toBe(5000)
    await network.root.root?.checkpoint()
    expect(network.root.replicaAgeMs()).toBe(0)
    network.clock.advance(1000)
    await network.sync(secondary)
    expect(secondary.replicaAgeMs()).toBe(1000)
  })
})

describe('alarms', () => {
  it('are told once, logged, and stay until they are acknowledged, over a restart too', async () => {
    const errors: string[] = []
    const logger: Logger = { debug() {}, info() {}, warn() {}, error: (_, message) => void errors.push(message) }
    await using network = await RealNetwork.create({}, {}, { logger })
    const { alarms, events } = network.root
    const told: string[] = []
    events.addEventListener('alarm', ({ detail }) => told.push(detail.code))
    alarms.raise('disk_slow', 'the disk is slow', { ms: 9 })
    alarms.raise('disk_slow', 'the disk is slow', { ms: 10 })
    expect(told).toEqual(['disk_slow'])
    expect(errors).toEqual(['the disk is slow'])
    network.clock.advance(60_000)
    alarms.raise('disk_slow', 'the disk is slow', { ms: 11 })
    expect(errors).toHaveLength(2)
    await network.root.close()

    const again = await network.startRoot()
    expect(again.alarms.list()).toMatchObject([
      { code: 'disk_slow', fields: { ms: 11 }, times: 3, acknowledged: false }
    ])
    again.alarms.acknowledge('disk_slow')
    expect(() => again.alarms.acknowledge('other')).toThrow(NotFoundError)
    expect(again.alarms.list()).toMatchObject([{ acknowledged: true }])
    again.alarms.raise('disk_slow', 'the disk is slow again')
    expect(again.alarms.list()).toMatchObject([{ times: 1, acknowledged: false }])
  })

  it('are raised for a key that signs two different records with one number', async () => {
    await using network = await RealNetwork.create()
    const ann = await network.admit('ann')
    const { alarms, records } = network.root
    await records.put(recordBy(network.root, ann, 1))
    await records.put(recordBy(network.root, ann, 1, { tags: ['clone'] })).catch(() => undefined)
    expect(alarms.list()).toMatchObject([{ code: 'seq_reused' }])
  })
})

describe('a backup', () => {
  it('is a store of its own, in which cursors into the original mean nothing', async () => {
    using folder = tempFolder()
    await using network = await RealNetwork.create()
    await network.admit('ann')
    const path = join(folder.path, 'backup.db')
    await network.root.backup(path)
    await using copy = await openRegistry({ path, role: 'secondary', nodeKey: SigningKey.generate() })
    expect(copy.replica.state.memberByName('ann')).toBeDefined()
    expect(copy.storeId).not.toEqual(network.root.storeId)
    expect(readdirSync(folder.path).filter((name) => name.includes('unfinished'))).toEqual([])
    await expect(network.root.backup(join(folder.path, 'no', 'such', 'folder.db'))).rejects.toThrow(StoreError)
  })
})
