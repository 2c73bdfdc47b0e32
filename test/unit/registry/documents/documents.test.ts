import BetterSqlite3 from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sha256 } from '../../../../src/identity/hash.ts'
import { peerIdText, type SigningKey } from '../../../../src/identity/keys.ts'
import type { Publish } from '../../../../src/registry/objects/entry.ts'
import { sealOrder } from '../../../../src/registry/objects/orders/order.ts'
import type { Registry } from '../../../../src/registry/registry.ts'
import { openDatabase } from '../../../../src/registry/store/database.ts'
import {
  ChangedMeanwhileError,
  InvalidPayloadError,
  LimitError,
  NotFoundError,
  NotRootError,
  PublishRefusedError,
  StoreError,
  UnavailableError
} from '../../../../src/runtime/errors.ts'
import { unwatchStore, watchStore } from '../../../helpers/faults/store-faults.ts'
import { keyNumber } from '../../../helpers/log-network.ts'
import { day, RealNetwork } from '../../../helpers/real-network.ts'
import { bytesOf, publishBy, signedBy } from '../../../helpers/registry/publisher.ts'

const text = 'text/plain'
const signal = new AbortController().signal

let network: RealNetwork
let ann: SigningKey
beforeEach(async () => {
  network = await RealNetwork.create({ documentBytes: 100 })
  ann = await network.admit('ann')
  await network.root.root?.append([{ kind: 'publisher', body: { publicKey: ann.publicKey, removed: false } }])
})
afterEach(() => network[Symbol.asyncDispose]())

const publish = (id: string, content: string, root = network.root) =>
  root.documents.publish({ id, mediaType: text, bytes: bytesOf(content) })

const signed = (content: string, change: Partial<Publish> = {}, key = ann, timeMs = network.clock.now()) =>
  signedBy(network, key, content, change, timeMs)

const contentOf = async ({ documents }: Registry, id: string, version = documents.get(id).version) => {
  const bytes = await documents.bytes.read((await documents.entryOf(id, version)).digest)
  return bytes && Buffer.from(bytes).toString()
}

const alarmsOf = ({ alarms }: Registry): string[] => alarms.list().map(({ code }) => code)

/** Changes stored bytes under the feet of the registry, which is open again afterwards. */
async function spoil(content: string): Promise<void> {
  await network.root.close()
  const db = openDatabase(network.path('root'))
  db.prepare("UPDATE document_bytes SET bytes = x'00' WHERE digest = ?").run(sha256(bytesOf(content)))
  db.close()
  await network.startRoot()
}

test('a document is published with its bytes, and they outlast the process', async () => {
  const { documents } = network.root
  let told = 0
  network.root.events.addEventListener('documents', () => told++)
  const made = await publish('plan', 'first')
  expect(made).toMatchObject({ isNew: true, publish: { documentVersion: 1, sizeBytes: 5 } })
  expect((await publish('plan', 'second')).publish.documentVersion).toBe(2)
  expect(told).toBe(2)
  expect(documents.list().map(({ id, version }) => [id, version])).toEqual([['plan', 2]])
  await network.root.close()
  await network.startRoot()
  expect(await contentOf(network.root, 'plan')).toBe('second')
  expect(await contentOf(network.root, 'plan', 1)).toBe('first')
  expect((await network.root.documents.history('plan')).map(({ value }) => value.kind)).toEqual(['publish', 'publish'])
  expect(network.root.documents.bytes.count).toBe(2)
})

test('the same once more is no new version; another type is one', async () => {
  const first = await publish('plan', 'first')
  expect(await publish('plan', 'first')).toMatchObject({ isNew: false, n: first.n })
  const { documents } = network.root
  const other = await documents.publish({ id: 'plan', mediaType: 'text/html', bytes: bytesOf('first') })
  expect(other).toMatchObject({ isNew: true, publish: { documentVersion: 2 } })
})

test('ids, types, versions and sizes that cannot be are refused in words', async () => {
  const { documents } = network.root
  const bytes = bytesOf('x')
  for (const id of ['', '.', '..', '../x', 'a/b', 'a b', 'ä', '-a', 'a'.repeat(129)])
    await expect(documents.publish({ id, mediaType: text, bytes })).rejects.toThrow(InvalidPayloadError)
  for (const mediaType of ['', 'text', 'text/', 'Text/plain', 'text/plain;', `text/${'x'.repeat(130)}`])
    await expect(documents.publish({ id: 'a', mediaType, bytes })).rejects.toThrow(/media type/)
  const large = documents.publish({ id: 'a', mediaType: text, bytes: new Uint8Array(256 * 1024 + 1) })
  await expect(large).rejects.toThrow(/262145 bytes, a document at most 262144/)
  expect(() => documents.get('a')).toThrow(NotFoundError)
  await expect(documents.history('a')).rejects.toThrow(NotFoundError)
  await publish('a', 'x')
  await expect(documents.entryOf('a', 2)).rejects.toThrow(/no version 2 of a here/)
})

test('over the quota it says what may go, and what is retired makes room', async () => {
  await publish('small', 'x'.repeat(10))
  await publish('large', 'y'.repeat(80))
  await expect(publish('more', 'z'.repeat(11))).rejects.toThrow(
    /10 of 100 are free: retire .* large \(80 bytes\), small \(10/
  )
  await network.root.root?.append([{ kind: 'retire', body: { id: 'large', reason: 'old' } }])
  await publish('more', 'z'.repeat(11))
  await expect(publish('small', 'x'.repeat(101))).rejects.toThrow(PublishRefusedError)
  const empty = await RealNetwork.create({ documentBytes: 0 })
  await expect(publish('a', 'x', empty.root)).rejects.toThrow(/0 of 0 are free: raise documentBytes of the policy/)
  await empty[Symbol.asyncDispose]()
})

test('who may not publish is named, with what an operator does about it', async () => {
  const { documents, root } = network.root
  const eve = await network.admit('eve')
  await expect(documents.submit(signed('x', {}, eve))).rejects.toThrow(
    'eve may not publish documents: an operator allows it with `trustnet document allow-publisher eve`'
  )
  const stranger = keyNumber(77)
  await expect(documents.submit(signed('x', {}, stranger))).rejects.toThrow(
    `allow-publisher ${peerIdText(stranger.publicKey)}`
  )
  const policy = { ...network.root.replica.state.policy, publishing: 'root' as const }
  await root?.append([{ kind: 'policy', body: policy }])
  await expect(documents.submit(signed('x'))).rejects.toThrow(/^ann may not .* of the root alone \(publishing: root\)/)
  await root?.append([{ kind: 'revoke', body: { publicKey: ann.publicKey, name: 'ann', reason: 'lost' } }])
  await expect(documents.submit(signed('x'))).rejects.toThrow(/may not publish documents: its key was revoked/)
})

test('a publisher signs at home; nobody else may, nor for another', async () => {
  const { documents } = network.root
  const made = await documents.submit(signed('by ann'))
  expect(made.publish.publisherKey).toEqual(ann.publicKey)
  expect(await contentOf(network.root, 'plan')).toBe('by ann')
  // Its answer was lost.
  expect(await documents.submit(signed('by ann'))).toMatchObject({ isNew: false, n: made.n })
  await publish('plan', 'by the root')
  expect(await documents.submit(signed('by ann'))).toMatchObject({ isNew: false, n: made.n })
  await expect(documents.submit(signed('late', {}))).rejects.toThrow(ChangedMeanwhileError)

  const eve = await network.admit('eve')
  const second = { documentVersion: 3 }
  await expect(documents.submit(signed('x', second, eve))).rejects.toThrow(/eve may not publish documents/)
  await expect(documents.submit(signed('x', { ...second, publisherKey: ann.publicKey }, eve))).rejects.toThrow(
    /another publisher/
  )
  const given = signed('x', second)
  await expect(documents.submit({ ...given, bytes: bytesOf('y') })).rejects.toThrow(/its digest is another one/)
  await expect(documents.submit({ ...given, bytes: bytesOf('xx') })).rejects.toThrow(/its digest is another one/)
  await expect(documents.submit({ ...given, body: signed('z', second).body })).rejects.toThrow(/something else/)
  const { networkId } = network.root
  const place = { networkId, epoch: 0, seenN: 1, timeMs: network.clock.now() }
  const retire = sealOrder({ ...place, kind: 10, digest: sha256(given.body) }, ann).bytes
  await expect(documents.submit({ ...given, order: retire })).rejects.toThrow(/something else/)
})

test('a body of a newer version is not written again otherwise than it was signed', async () => {
  const { networkId } = network.root
  const { body, bytes } = signed('x')
  const newer = Buffer.concat([body, Buffer.from([0x78, 1])])
  const place = { networkId, epoch: 0, seenN: 1, timeMs: network.clock.now() }
  const order = sealOrder({ ...place, kind: 9, digest: sha256(newer) }, ann).bytes
  await expect(network.root.documents.submit({ body: newer, order, bytes })).rejects.toThrow(/newer version/)
})

test('what was signed long ago, or by another clock, is published anew', async () => {
  const { documents } = network.root
  const at = (timeMs: number) => documents.submit(signed('x', {}, ann, network.clock.now() + timeMs))
  await expect(at(-8 * day)).rejects.toThrow(/publish it again, and compare the clocks/)
  await expect(at(3_600_000)).rejects.toThrow(ChangedMeanwhileError)
  await at(-6 * day)
})

test('just the same from two sides at once is one entry', async () => {
  const { documents } = network.root
  const given = signed('by ann')
  const both = await Promise.all([documents.submit(given), documents.submit(given)])
  expect(both.filter(({ isNew }) => isNew)).toHaveLength(1)
  expect(both[0]?.n).toBe(both[1]?.n)
  expect(await documents.history('plan')).toHaveLength(1)
})

test('what was published long ago and is sent again brings no bytes back; who may not publish learns nothing of it', async () => {
  const { documents } = network.root
  const first = signed('a'.repeat(50))
  const made = await documents.submit(first)
  await publish('plan', 'b'.repeat(90))
  await publish('plan', 'c'.repeat(90))
  await documents.bytes.prune()
  expect(documents.bytes.bytes).toBe(180)
  expect(await documents.submit(first)).toMatchObject({ isNew: false, n: made.n })
  expect(documents.bytes.bytes).toBe(180)
  const eve = await network.admit('eve')
  await expect(documents.submit(signed('x', {}, eve))).rejects.toThrow(ChangedMeanwhileError)
})

test('of two who publish one id at once one is told, and both contents are as they were', async () => {
  const { documents } = network.root
  const given = [documents.submit(signed('by ann')), publish('plan', 'by the root')]
  const outcomes = await Promise.allSettled(given)
  expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  const refusal = outcomes.find((each) => each.status === 'rejected')?.reason
  expect(refusal).toBeInstanceOf(ChangedMeanwhileError)
  expect(documents.list()).toMatchObject([{ id: 'plan', version: 1 }])
  // Bytes of the other one were undone with its entry.
  expect(documents.bytes.count).toBe(1)
})

test('only the root enters documents', async () => {
  const secondary = await network.addSecondary('s')
  await expect(publish('plan', 'x', secondary)).rejects.toThrow(NotRootError)
  await expect(secondary.documents.submit(signed('x'))).rejects.toThrow(NotRootError)
})

test('a root that may not append says so, and keeps no bytes', async () => {
  network.root.root?.fence('it waits for others')
  await expect(publish('plan', 'x')).rejects.toThrow(UnavailableError)
  expect(network.root.documents.bytes.count).toBe(0)
})

test('a replica knows what it lacks, and takes nothing else for it', async () => {
  await publish('plan', 'x')
  await publish('copy', 'x')
  await publish('gone', 'y')
  await network.root.root?.append([{ kind: 'retire', body: { id: 'gone', reason: 'old' } }])
  const { documents } = await network.addSecondary('s')
  const digest = sha256(bytesOf('x'))
  expect(documents.bytes.missing()).toEqual([digest])
  expect(await documents.bytes.read(digest)).toBeUndefined()
  await expect(documents.put(digest, bytesOf('z'))).rejects.toThrow(/another digest/)
  await documents.put(digest, bytesOf('x'))
  await documents.put(digest, bytesOf('x'))
  expect(documents.bytes).toMatchObject({ count: 1, bytes: 1 })
  expect(documents.bytes.missing()).toEqual([])
})

test('damaged bytes are named in an alarm, gone, and wanted again', async () => {
  for (let at = 0; at < 7; at++) await publish(`plan-${at}`, 'x')
  await publish('other', 'y')
  await spoil('x')
  const { documents } = network.root
  expect(await documents.bytes.check(signal)).toBe(2)
  const [alarm] = network.root.alarms.list()
  expect(alarm).toMatchObject({ code: 'document_damaged', fields: { documents: 7 } })
  expect(alarm?.message).toMatch(/plan-4 \(version 1\), and 2 more/)
  expect(documents.bytes.missing()).toEqual([sha256(bytesOf('x'))])
  expect(await documents.bytes.check(signal)).toBe(1)
  // Published again, the bytes are back without a new version.
  expect(await publish('plan-0', 'x')).toMatchObject({ isNew: false })
  expect(documents.bytes.missing()).toEqual([])
})

test('damaged bytes are never shown, also before they were checked', async () => {
  await publish('plan', 'x')
  await publish('plan', 'y')
  await spoil('x')
  const { documents } = network.root
  expect(await documents.bytes.read(sha256(bytesOf('x')))).toBeUndefined()
  expect(network.root.alarms.list()[0]?.message).toContain('an old version that nobody needs, which is gone here:')
  expect(documents.bytes.missing()).toEqual([])
  expect(alarmsOf(network.root)).toEqual(['document_damaged'])
})

test('old versions stay while they fit into as much as the current ones may fill, the newest longest', async () => {
  const { documents } = network.root
  for (const letter of 'abcde') await publish('plan', letter.repeat(40))
  await documents.bytes.prune()
  // Of a to d, which are old, the 100 bytes of the policy hold two.
  expect(await contentOf(network.root, 'plan', 2)).toBeUndefined()
  expect(await contentOf(network.root, 'plan', 3)).toBe('c'.repeat(40))
  expect(await contentOf(network.root, 'plan')).toBe('e'.repeat(40))
  await documents.bytes.prune()
  expect(documents.bytes).toMatchObject({ count: 3, bytes: 120 })
  // A retired one is old, too, and came last.
  await network.root.root?.append([{ kind: 'retire', body: { id: 'plan', reason: 'done' } }])
  expect((await documents.history('plan')).at(-1)?.value.kind).toBe('retire')
  await documents.bytes.prune()
  expect(documents.bytes).toMatchObject({ count: 2, bytes: 80 })
  expect(await contentOf(network.root, 'plan')).toBe('e'.repeat(40))
})

test('a long history is read in pieces', async () => {
  const bodies = Array.from({ length: 600 }, (_, at) => ({
    kind: 'publish' as const,
    body: { ...publishBy(ann, 'x'), id: at % 2 === 0 ? 'even' : 'odd', documentVersion: Math.floor(at / 2) + 1 }
  }))
  for (const page of [bodies.slice(0, 300), bodies.slice(300)]) await network.root.root?.append(page)
  expect(await network.root.documents.history('odd')).toHaveLength(300)
})

test('a publisher enters many versions at once, and then one a second', async () => {
  const { documents } = network.root
  const next = (at: number) => documents.submit(signed(`${at}`, { documentVersion: at + 1 }))
  for (let at = 0; at < 100; at++) await next(at)
  await expect(next(100)).rejects.toThrow(LimitError)
  network.clock.advance(1_000)
  await next(100)
  await expect(next(101)).rejects.toThrow(/100 versions at once/)
  // The root is nobody's guest.
  await publish('plan', 'by the root')
  network.clock.advance(200_000)
  await documents.submit(signed('later', { documentVersion: 103 }))
})

test('on a full disk a publish is undone and told, and done when there is room', async () => {
  const path = network.path('root')
  watchStore(path, ({ sql, execute }) => {
    if (sql.includes('document_bytes')) throw new BetterSqlite3.SqliteError('database or disk is full', 'SQLITE_FULL')
    return execute()
  })
  try {
    await expect(publish('plan', 'x')).rejects.toThrow(/no space left/)
    await expect(network.root.documents.put(sha256(bytesOf('x')), bytesOf('x'))).rejects.toThrow(StoreError)
    expect(network.root.documents.bytes.count).toBe(0)
    expect(network.root.documents.list()).toEqual([])
  } finally {
    unwatchStore(path)
  }
  expect(await publish('plan', 'x')).toMatchObject({ isNew: true })
})
