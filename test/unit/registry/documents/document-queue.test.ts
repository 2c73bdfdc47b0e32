import { afterEach, beforeEach, expect, test } from 'vitest'
import type { SigningKey } from '../../../../src/identity/keys.ts'
import type { Publish } from '../../../../src/registry/objects/entry.ts'
import { openDatabase } from '../../../../src/registry/store/database.ts'
import { PublishRefusedError } from '../../../../src/runtime/errors.ts'
import { RealNetwork } from '../../../helpers/real-network.ts'
import { signedBy } from '../../../helpers/registry/publisher.ts'

let network: RealNetwork
let ann: SigningKey
beforeEach(async () => {
  network = await RealNetwork.create()
  ann = await network.admit('ann')
  await network.root.root?.append([{ kind: 'publisher', body: { publicKey: ann.publicKey, removed: false } }])
})
afterEach(() => network[Symbol.asyncDispose]())

const signed = (content: string, change: Partial<Publish> = {}, timeMs = network.clock.now()) =>
  signedBy(network, ann, content, change, timeMs)

const contentAtRoot = async (id: string): Promise<string> => {
  const { documents } = network.root
  return Buffer.from((await documents.bytes.read(documents.get(id).digest)) ?? []).toString()
}

test('documents wait at a registry for the root, the newest of each publisher and id', async () => {
  const secondary = await network.addSecondary('s')
  const { queue } = secondary.documents
  await queue.add(secondary.documents.judge(signed('first')))
  await queue.add(secondary.documents.judge(signed('other', { id: 'other' })))
  await queue.add(secondary.documents.judge(signed('second')))
  // Sent again by somebody who has seen it.
  const again = secondary.documents.judge(signed('first', {}, network.clock.now() - 1))
  await expect(queue.add(again)).rejects.toThrow(/what waits of plan was signed later/)
  expect(queue.list().map(({ id, version }) => [id, version])).toEqual([
    ['other', 1],
    ['plan', 1]
  ])
  for (const waiting of queue.list()) {
    await network.root.documents.submit(waiting.signed)
    await queue.drop(waiting)
  }
  expect(queue.size).toBe(0)
  expect(await contentAtRoot('plan')).toBe('second')
  // Removed while it waits: the root has the last word.
  await network.sync(secondary)
  await queue.add(secondary.documents.judge(signed('third', { documentVersion: 2 })))
  await network.root.root?.append([{ kind: 'publisher', body: { publicKey: ann.publicKey, removed: true } }])
  const [waiting] = queue.list()
  if (waiting === undefined) throw new Error('nothing waits')
  await expect(network.root.documents.submit(waiting.signed)).rejects.toThrow(PublishRefusedError)
})

test('what the disk has changed of a waiting document is refused, and hides no other', async () => {
  const key = await network.admit('s')
  const secondary = await network.openReplica('s', key)
  for (const id of ['plan', 'other']) await secondary.documents.keep(secondary.documents.judge(signed(id, { id })))
  await secondary.close()
  const db = openDatabase(network.path('s'))
  db.prepare("UPDATE document_queue SET body = x'00', ordered = x'00' WHERE id = 'plan'").run()
  db.close()
  const { documents } = await network.openReplica('s', key)
  const [damaged, right] = documents.queue.list()
  expect([damaged, right].map((each) => [each?.id, each?.version])).toEqual([
    ['plan', 0],
    ['other', 1]
  ])
  if (damaged === undefined || right === undefined) throw new Error('nothing waits')
  await expect(network.root.documents.submit(damaged.signed)).rejects.toThrow(/envelope/)
  await network.root.documents.submit(right.signed)
  await documents.keep(documents.judge(signed('again', { id: 'plan' })))
  expect(documents.queue.list().map(({ id, version }) => [id, version])).toEqual([
    ['other', 1],
    ['plan', 1]
  ])
})

test('a publisher fills no queue for others', async () => {
  const { documents } = await network.addSecondary('s')
  const add = (id: string) => documents.queue.add(documents.judge(signed('x', { id })))
  for (let at = 0; at < 16; at++) await add(`d${at}`)
  await expect(add('d16')).rejects.toThrow(/too many documents wait/)
  await add('d3')
  expect(documents.queue.size).toBe(16)
})
