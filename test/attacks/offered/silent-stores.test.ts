import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect } from 'vitest'
import type { TrustNode } from '../../../src/node/node.ts'
import { maxRecordStores, type RecordStore } from '../../../src/registry/objects/record-additions.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { attack, control } from '../attack.ts'

let network: TestNetwork
let ann: TrustNode
let eve: TrustNode
/** Digests that eve was asked for. */
let asked: Set<string>

beforeEach(async () => {
  network = await TestNetwork.create()
  // Whoever is silent is waited for without end: what comes beside that waits for nobody.
  ann = await network.join('ann', { 'stores.fetch': 'all', 'protocols.blocks.silence': '1h' })
  eve = await network.join('eve')
  asked = new Set()
})
afterEach(() => network[Symbol.asyncDispose]())

/** Has eve name stores, and answer in this way whoever asks her for one of them. */
async function nameStores(named: readonly RecordStore[], answer: () => Promise<Uint8Array | undefined>): Promise<void> {
  const read = async (digest: Uint8Array): Promise<Uint8Array | undefined> => {
    asked.add(Buffer.from(digest).toString('hex'))
    return await answer()
  }
  Object.assign(eve.attached.stores, { announced: () => named, read })
  await eve.attached.self.publish()
}

const falseStores = (): RecordStore[] =>
  Array.from({ length: maxRecordStores }, (_, i) => ({ name: `store-${i}`, digest: Uint8Array.from(randomBytes(32)) }))

async function share(node: TrustNode, name: string): Promise<void> {
  const folder = join(network.folder, name)
  mkdirSync(folder)
  writeFileSync(join(folder, 'song'), name)
  await node.stores.add(folder)
}

const holds = (name: string): boolean => ann.stores.list().some((row) => row.name === name && row.heldSeq === 1)

describe('a member that names 8 stores that are none', () => {
  attack('and never answers, so that nothing of others is followed meanwhile', async () => {
    const { promise: never } = Promise.withResolvers<undefined>()
    await nameStores(falseStores(), () => never)
    await eventually(() => asked.size > 0)
    const hal = await network.join('hal')
    await share(hal, 'music')
    await share(hal, 'maps')
    await eventually(() => holds('music') && holds('maps'))
    return {
      happened: `${maxRecordStores} false stores, nobody answers for them: two stores of somebody else came meanwhile`,
      held: 'two manifests at a time count for the same member, and no round waits for one'
    }
  })

  control('is asked for all of them where it answers', async () => {
    await nameStores(falseStores(), async () => undefined)
    await eventually(() => asked.size === maxRecordStores)
    expect(ann.stores.list().filter(({ heldSeq }) => heldSeq !== null)).toEqual([])
  })
})
