import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { equals } from 'uint8arrays/equals'
import { afterEach, beforeEach, describe, expect } from 'vitest'
import type { TrustNode } from '../../../src/node/node.ts'
import { digestOf } from '../../../src/node/stores/store-entry.ts'
import { filesOf } from '../../helpers/content/blocks.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { attack, control } from '../attack.ts'

let network: TestNetwork
let hal: TrustNode
let eve: TrustNode
let ann: TrustNode
/** Blocks that eve was asked for, and gave. */
let asked: number

beforeEach(async () => {
  network = await TestNetwork.create()
  hal = await network.join('hal')
  eve = await network.join('eve', { 'stores.fetch': 'all' })
  ann = await network.join('ann')
  asked = 0
})
afterEach(() => network[Symbol.asyncDispose]())

const folderOf = (name: string): string => join(network.folder, name)

/** Has hal share folders of 40 blocks, which eve fetches, so that she names them, too. */
async function share(names: readonly string[]): Promise<void> {
  for (const name of names) await shareOne(name)
  await eve.attached.self.publish()
  const holders = (): number[] =>
    hal.attached.stores.announced().map(({ digest }) => ann.attached.storeKeeper?.holders(digest) ?? 0)
  await eventually(() => holders().every((count) => count === 2))
}

async function shareOne(name: string): Promise<void> {
  mkdirSync(folderOf(name))
  for (let file = 0; file < 40; file++) writeFileSync(join(folderOf(name), `${file}`), randomBytes(5_000))
  await hal.stores.add(folderOf(name))
  await eventually(() => eve.stores.list().some((row) => row.name === name && row.heldSeq === 1))
}

/** From here on eve answers so for each block, and the owner answers when eve was asked once. Manifests are as they are. */
function answersOfEve(change: (block: Uint8Array) => Uint8Array): void {
  const { stores } = eve.attached
  const first = Promise.withResolvers<void>()
  const give = stores.read.bind(stores)
  stores.read = async (digest) => {
    const block = await give(digest)
    if (block === undefined || stores.manifests.get(digest) !== undefined) return block
    asked++
    first.resolve()
    return change(block)
  }
  const owner = hal.attached.stores
  const giveOwn = owner.read.bind(owner)
  owner.read = async (digest) => {
    const isManifest = owner.list().some(({ versions }) => versions.some((each) => equals(digestOf(each), digest)))
    if (!isManifest) await first.promise
    return await giveOwn(digest)
  }
}

/** Has ann fetch a store. Gives the blocks that eve was asked for meanwhile. */
async function fetched(name: string): Promise<number> {
  const before = asked
  const to = folderOf(`to-${name}`)
  await ann.stores.sync(`hal/${name}`, { to })
  await eventually(() => ann.stores.list().some((row) => row.name === name && row.state === 'complete'))
  expect(filesOf(to)).toEqual(filesOf(folderOf(name)))
  return asked - before
}

const namedAtAnn = (): string[] =>
  ann.attached.trust.culprits.counts.flatMap(({ limit, culprits }) => culprits.map(({ who }) => `${limit} ${who}`))

describe('a member that has stores of another, and gives other bytes for their blocks', () => {
  attack('to be asked again for the rest of a store, and for other stores', async () => {
    await share(['music', 'maps', 'films'])
    answersOfEve((block) => block.toReversed())
    const first = await fetched('music')
    expect(first).toBeGreaterThan(0)
    // Those that were on their way when the first wrong one came.
    expect(first).toBeLessThanOrEqual(4)
    expect(namedAtAnn()).toEqual([`blocks.wrong ${eve.peerId}`])
    expect([await fetched('maps'), await fetched('films')]).toEqual([0, 0])
    return {
      happened: `three stores of 41 blocks: asked for ${first} at once, then for none; all files are right`,
      held: 'whoever gave a wrong block is not asked again for an hour, for no store'
    }
  })

  control('is asked for blocks of each where they are the right ones', async () => {
    await share(['music', 'maps'])
    answersOfEve((block) => block)
    expect(await fetched('music')).toBeGreaterThan(0)
    expect(await fetched('maps')).toBeGreaterThan(0)
    expect(namedAtAnn()).toEqual([])
  })
})
