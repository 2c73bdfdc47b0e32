import { afterEach, beforeEach, expect, test } from 'vitest'
import { sha256 } from '../../../src/identity/hash.ts'
import { loadKey } from '../../../src/identity/key-file.ts'
import { dataFiles } from '../../../src/node/config/paths.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { openRegistry } from '../../../src/registry/registry.ts'
import { openDatabase } from '../../../src/registry/store/database.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

const base64 = (content: string): string => Buffer.from(content).toString('base64')

const publish = (node: TrustNode, id: string, content: string) =>
  node.control.publishDocument({ id, mediaType: 'text/plain', content: base64(content) })

const contentAt = async (node: TrustNode, id: string): Promise<string> =>
  Buffer.from((await node.documents.get(id)).bytes).toString()

/** Resolves when the node has the bytes of that version. */
const holds = (node: TrustNode, id: string, version: number): Promise<void> =>
  eventually(() => node.documents.list().some((row) => row.id === id && row.version === version && row.held))

let network: TestNetwork
beforeEach(async () => {
  network = await TestNetwork.create()
})
afterEach(() => network[Symbol.asyncDispose]())

test('what the root publishes every node has, those without records and late ones, too', async () => {
  const root = network.node('root')
  const hal = await network.join('hal')
  const ext = await network.join('ext', { role: 'external' })
  const watching = new AbortController()
  const changes = hal.documents.changes({ signal: watching.signal })
  const first = changes.next()
  expect(await publish(root, 'plan', 'first')).toMatchObject({ version: 1, state: 'published' })
  for (const node of [hal, ext]) await holds(node, 'plan', 1)
  expect(await contentAt(ext, 'plan')).toBe('first')
  expect((await first).value).toMatchObject({ change: 'published', document: { id: 'plan', version: 1, held: true } })
  const late = await network.join('late', { role: 'external' })
  await holds(late, 'plan', 1)

  expect(await publish(root, 'plan', 'second')).toMatchObject({ version: 2 })
  for (const node of [hal, ext, late]) await holds(node, 'plan', 2)
  expect(await contentAt(late, 'plan')).toBe('second')
  expect(Buffer.from((await hal.control.document({ id: 'plan', version: 1 })).content, 'base64').toString()).toBe(
    'first'
  )
  expect((await hal.control.documentHistory({ id: 'plan' })).history).toHaveLength(2)

  const { entry } = await root.control.retireDocument({ id: 'plan', reason: 'done' })
  await eventually(() => hal.documents.list()[0]?.retired?.reason === 'done')
  await expect(hal.documents.get('plan')).rejects.toThrow(/was retired \(done\)/)
  const changed: unknown[] = []
  for await (const { change } of changes) if (changed.push(change) > 0 && change === 'retired') watching.abort()
  expect(changed.at(-1)).toBe('retired')
  expect(await root.control.retireDocument({ id: 'plan', reason: 'again' })).toMatchObject({
    entry,
    message: expect.stringContaining('retired before')
  })
  await expect(root.control.retireDocument({ id: 'none', reason: 'x' })).rejects.toThrow(/there is no document none/)
})

test('a member publishes when an operator lets it, with its own key', async () => {
  const root = network.node('root')
  const hal = await network.join('hal')
  await expect(publish(hal, 'plan', 'x')).rejects.toThrow(
    /hal may not publish documents: an operator allows it with `trustnet document allow-publisher hal`/
  )
  await root.control.allowPublisher({ publisher: 'hal' })
  await eventually(() => hal.registry.replica.state.publishers().length === 1)
  const content = 'x'.repeat(200_000)
  expect(await publish(hal, 'plan', content)).toMatchObject({ version: 1, state: 'published' })
  await holds(root, 'plan', 1)
  expect(await contentAt(root, 'plan')).toBe(content)
  await eventually(() => hal.documents.list().length === 1)
  expect(hal.documents.list()[0]?.publisher).toMatchObject({ name: 'hal' })
  expect(await publish(hal, 'plan', content)).toMatchObject({ version: 1, state: 'unchanged' })
  await root.control.removePublisher({ publisher: 'hal' })
  await eventually(() => hal.registry.replica.state.publishers().length === 0)
  await expect(publish(hal, 'plan', 'y')).rejects.toThrow(/may not publish/)
  await expect(root.control.removePublisher({ publisher: 'root' })).rejects.toThrow(/is no publisher/)
})

test('while the root is away a secondary keeps documents for it; what was forbidden meanwhile is told', async () => {
  const root = network.node('root')
  const tnr = await network.join('tnr', { role: 'secondary' })
  const hal = await network.join('hal')
  await eventually(() => tnr.registry.replica.state.registries().length === 2)
  await root.control.allowPublisher({ publisher: 'hal' })
  await root.control.allowPublisher({ publisher: 'tnr' })
  await eventually(() => hal.registry.replica.state.publishers().length === 2)
  await eventually(() => hal.registry.replica.state.registries().length === 2)
  const { port } = root.attached
  await root.stop('away')

  expect(await publish(hal, 'plan', 'by hal')).toMatchObject({ state: 'waiting', entry: null })
  expect(await publish(tnr, 'other', 'by tnr')).toMatchObject({ state: 'waiting' })
  expect(await waitingAt(tnr)).toEqual(['plan', 'other'])
  expect(await waitingAt(hal)).toEqual(['plan'])

  const back = await network.start('root', { role: 'root', 'listen.port': port })
  await holds(back, 'plan', 1)
  await holds(back, 'other', 1)
  expect(await contentAt(back, 'plan')).toBe('by hal')
  // Brought by the publisher and by the secondary, and entered once.
  for (const node of [tnr, hal]) await eventually(async () => (await waitingAt(node)).length === 0)
  await holds(hal, 'other', 1)
  expect((await back.control.documentHistory({ id: 'plan' })).history).toHaveLength(1)
  for (const node of [tnr, hal]) expect(refusedAt(node)).toBeUndefined()

  await back.stop('away again')
  expect(await publish(hal, 'plan', 'late')).toMatchObject({ state: 'waiting' })
  await removeWhileStopped(back, hal.key.publicKey)
  const again = await network.start('root', { role: 'root', 'listen.port': port })
  for (const node of [tnr, hal]) {
    await eventually(async () => (await waitingAt(node)).length === 0)
    expect(refusedAt(node)).toMatch(/version 2 of the document plan, which waited here .* hal has the content/)
  }
  expect(await contentAt(again, 'plan')).toBe('by hal')
})

const waitingAt = async (node: TrustNode): Promise<string[]> =>
  (await node.control.documents()).waiting.map(({ id }) => id)

const refusedAt = ({ registry }: TrustNode): string | undefined =>
  registry.alarms.list().find(({ code }) => code === 'document_refused')?.message

/** An operator removes a publisher while nobody hears of it. */
async function removeWhileStopped({ config }: TrustNode, publicKey: Uint8Array): Promise<void> {
  const { store, logKey, operatorKey } = dataFiles(config.paths.data)
  await using registry = await openRegistry({
    path: store,
    role: 'root',
    nodeKey: loadKey(config.paths.key),
    root: { logKey: loadKey(logKey), operatorKey: loadKey(operatorKey) }
  })
  const author = registry.admission.orders.author()
  await author.append([{ kind: 'publisher', body: { publicKey, removed: true } }])
}

test('bytes that the disk has changed are fetched again from whoever has them, and named in an alarm', async () => {
  const root = network.node('root')
  const tnr = await network.join('tnr', { role: 'secondary' })
  const hal = await network.join('hal')
  await publish(root, 'plan', 'first')
  await publish(root, 'gone', 'x')
  for (const node of [tnr, hal]) await holds(node, 'gone', 1)
  await hal.stop('for a disk')
  const { port } = hal.attached
  const db = openDatabase(dataFiles(hal.config.paths.data).store)
  db.prepare("UPDATE document_bytes SET bytes = x'00' WHERE digest = ?").run(sha256(Buffer.from('first')))
  db.prepare('DELETE FROM document_bytes WHERE digest = ?').run(sha256(Buffer.from('x')))
  db.close()
  await root.stop('away')
  const again = await network.start('hal', { 'listen.port': port, 'bootstrap.peers': [network.address('tnr')] })
  for (const id of ['plan', 'gone']) await holds(again, id, 1)
  expect(await contentAt(again, 'plan')).toBe('first')
  expect(again.registry.alarms.list()).toMatchObject([{ code: 'document_damaged' }])
  expect(again.registry.alarms.list()[0]?.message).toContain('plan (version 1)')
})
