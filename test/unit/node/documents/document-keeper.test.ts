import { setImmediate as nextTurn } from 'node:timers/promises'
import BetterSqlite3 from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { sha256 } from '../../../../src/identity/hash.ts'
import { keyId } from '../../../../src/identity/key-id.ts'
import { DocumentKeeper } from '../../../../src/node/documents/document-keeper.ts'
import { adminServer } from '../../../../src/protocols/admin/index.ts'
import type { Block, BlockExchange } from '../../../../src/protocols/blocks/index.ts'
import { defaultLimits } from '../../../../src/protocols/engine/limits.ts'
import { sealEntry } from '../../../../src/registry/objects/entry.ts'
import { Supervisor } from '../../../../src/runtime/supervisor.ts'
import { unwatchStore, watchStore } from '../../../helpers/faults/store-faults.ts'
import { type Members, startMember } from '../../../helpers/hosts/members.ts'
import { connect, withoutSockets } from '../../../helpers/hosts.ts'
import { eventually } from '../../../helpers/network.ts'
import { RealNetwork } from '../../../helpers/real-network.ts'
import { publishBy, signedBy } from '../../../helpers/registry/publisher.ts'

withoutSockets()

test('on a full disk nothing more is fetched, and all of it when there is room', async () => {
  await using network = await RealNetwork.create()
  const bytesOf = new Map<string, Uint8Array>()
  const publish = async (id: string): Promise<void> => {
    const bytes = Buffer.from(id)
    bytesOf.set(keyId(sha256(bytes)), bytes)
    await network.root.documents.publish({ id, mediaType: 'text/plain', bytes })
  }
  for (const id of ['a', 'b', 'c']) await publish(id)
  const secondary = await network.addSecondary('s')
  const members: Members = new Map()
  await using self = await startMember({ members, services: () => ({}) })
  await using source = await startMember({ members, services: () => ({}) })
  await connect(self.host, source.host)

  let isFull = true
  let refused = 0
  const path = network.path('s')
  watchStore(path, ({ sql, execute }) => {
    if (!isFull || !sql.includes('document_bytes')) return execute()
    refused++
    throw new BetterSqlite3.SqliteError('database or disk is full', 'SQLITE_FULL')
  })
  onTestFinished(() => unwatchStore(path))
  let given = 0
  const exchange: BlockExchange & AsyncDisposable = {
    async *fetch(wants): AsyncGenerator<Block> {
      for await (const digest of wants) {
        given++
        yield { digest, bytes: bytesOf.get(keyId(digest)) ?? new Uint8Array(), from: source.host.peerId }
        // The next one comes after the disk has said that there is no room.
        if (isFull) await eventually(() => refused > 0)
        await nextTurn()
      }
    },
    async [Symbol.asyncDispose]() {}
  }
  const services = new Supervisor()
  const carrier = { registry: secondary, limits: defaultLimits, trust: self.trust, peers: undefined }
  const keeper = new DocumentKeeper({ carrier, exchange, trust: self.trust })
  keeper.start(services)
  await using _ = { [Symbol.asyncDispose]: () => keeper.stop() }
  await eventually(() => services.part('documents').view.state === 'failing')
  expect(services.part('documents').view.lastError).toContain('no space left')
  expect(given).toBe(2)
  expect(secondary.documents.bytes.count).toBe(0)

  isFull = false
  await publish('d')
  await network.sync(secondary)
  await eventually(() => secondary.documents.bytes.count === 4)
  expect(secondary.documents.bytes.missing()).toEqual([])
  await eventually(() => services.part('documents').view.state === 'ok')
})

test('what waits for the root waits on until an entry of the log key says that it was published', async () => {
  await using network = await RealNetwork.create()
  const ann = await network.admit('ann')
  await network.root.root?.append([{ kind: 'publisher', body: { publicKey: ann.publicKey, removed: false } }])
  const secondary = await network.addSecondary('s')
  await secondary.documents.keep(secondary.documents.judge(signedBy(network, ann, 'first')))
  const members: Members = new Map()
  const { networkId, replica } = network.root
  let signer = network.rootKey
  let asked = 0
  await using self = await startMember({ members, services: () => ({}) })
  const carryOut = async () => {
    asked++
    const place = { networkId, n: replica.head.n, prevHash: replica.head.hash, epoch: 0, timeMs: network.clock.now() }
    const entry = sealEntry({ ...place, kind: 'publish', body: publishBy(ann, 'first') }, signer)
    return { entries: [entry.bytes], waiting: [] }
  }
  await using root = await startMember<{ admin: unknown }>({
    members,
    role: 'root',
    key: network.rootKey,
    services: ({ trust }) => ({ admin: adminServer({ networkId, trust, limits: defaultLimits, carryOut }) })
  })
  const connection = await connect(self.host, root.host)
  await self.trust.settled(connection)
  const exchange: BlockExchange & AsyncDisposable = { async *fetch() {}, async [Symbol.asyncDispose]() {} }
  const services = new Supervisor()
  const carrier = { registry: secondary, limits: defaultLimits, trust: self.trust, peers: undefined }
  const keeper = new DocumentKeeper({ carrier, exchange, trust: self.trust })
  keeper.start(services)
  await using _ = { [Symbol.asyncDispose]: () => keeper.stop() }
  // It is asked again as long as it waits.
  const wake = (): boolean => secondary.events.dispatchEvent(new CustomEvent('documents'))
  await eventually(() => wake() && asked > 1)
  expect(secondary.documents.queue.size).toBe(1)

  signer = network.logKey
  wake()
  await eventually(() => secondary.documents.queue.size === 0)
})

test('what somebody silent owes holds back nothing that is published meanwhile', async () => {
  await using network = await RealNetwork.create()
  const bytesOf = new Map<string, Uint8Array>()
  const publish = async (id: string): Promise<void> => {
    const bytes = Buffer.from(id)
    bytesOf.set(keyId(sha256(bytes)), bytes)
    await network.root.documents.publish({ id, mediaType: 'text/plain', bytes })
  }
  await publish('owed')
  const secondary = await network.addSecondary('s')
  const members: Members = new Map()
  await using self = await startMember({ members, services: () => ({}) })
  await using source = await startMember({ members, services: () => ({}) })
  await connect(self.host, source.host)
  const owed = keyId(sha256(Buffer.from('owed')))
  const silence = Promise.withResolvers<void>()
  const asked: string[] = []
  const exchange: BlockExchange & AsyncDisposable = {
    async *fetch(wants): AsyncGenerator<Block> {
      for await (const digest of wants) {
        const key = keyId(digest)
        asked.push(key)
        if (key === owed) await silence.promise
        yield { digest, bytes: bytesOf.get(key) ?? new Uint8Array(), from: source.host.peerId }
      }
    },
    async [Symbol.asyncDispose]() {
      silence.resolve()
    }
  }
  const services = new Supervisor()
  const carrier = { registry: secondary, limits: defaultLimits, trust: self.trust, peers: undefined }
  const keeper = new DocumentKeeper({ carrier, exchange, trust: self.trust })
  keeper.start(services)
  await using _ = { [Symbol.asyncDispose]: () => keeper.stop() }
  await eventually(() => asked.length === 1)

  await publish('new')
  await network.sync(secondary)
  await eventually(() => secondary.documents.bytes.count === 1)
  expect(secondary.documents.bytes.missing().map(keyId)).toEqual([owed])
  // It is on its way, and not asked for a second time.
  expect(asked.filter((key) => key === owed)).toHaveLength(1)
  silence.resolve()
  await eventually(() => secondary.documents.bytes.count === 2)
})
