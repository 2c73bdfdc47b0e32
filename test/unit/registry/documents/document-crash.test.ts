import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256 } from '../../../../src/identity/hash.ts'
import type { SigningKey } from '../../../../src/identity/keys.ts'
import { publishOf, sealPublish } from '../../../../src/registry/documents/signed-publish.ts'
import { crashEverywhere, type OpenInit, type Operation } from '../../../helpers/faults/failpoints.ts'
import { RealNetwork } from '../../../helpers/real-network.ts'

let network: RealNetwork
let ann: SigningKey
let secondary: SigningKey
const first = Buffer.from('first')
const second = Buffer.from('second')

beforeAll(async () => {
  network = await RealNetwork.create()
  ann = await network.admit('ann')
  secondary = await network.admit('s')
  const { root } = network
  await root.root?.append([{ kind: 'publisher', body: { publicKey: ann.publicKey, removed: false } }])
  await root.documents.publish({ id: 'plan', mediaType: 'text/plain', bytes: first })
  await (await network.openReplica('s', secondary)).close()
  await root.close()
})
afterAll(() => network[Symbol.asyncDispose]())

/** Version 2 as ann signs it. */
const signed = () => {
  const { networkId, replica } = network.root
  const publish = publishOf({ id: 'plan', version: 2, mediaType: 'text/plain', publisherKey: ann.publicKey }, second)
  return sealPublish(publish, second, { networkId, epoch: 0, seenN: replica.head.n, timeMs: network.clock.now() }, ann)
}

const asRoot = (): OpenInit => ({
  role: 'root',
  nodeKey: network.rootKey,
  root: { logKey: network.logKey },
  components: { clock: network.clock }
})
const asSecondary = (): OpenInit => ({ role: 'secondary', nodeKey: secondary, components: { clock: network.clock } })

const isSecond: Operation['effects'] = ({ documents }) => [
  documents.get('plan').version === 2,
  documents.bytes.has(sha256(second))
]

test.each<[string, () => Operation]>([
  [
    'what it publishes',
    () => ({
      run: ({ documents }) => documents.publish({ id: 'plan', mediaType: 'text/plain', bytes: second }),
      effects: isSecond
    })
  ],
  ['what a publisher has signed', () => ({ run: ({ documents }) => documents.submit(signed()), effects: isSecond })]
])('a root that is killed at any moment has an entry and its bytes, or neither: %s', async (_, operation) => {
  expect(await crashEverywhere(network.path('root'), asRoot(), operation())).toBeGreaterThan(5)
})

test.each<[string, Operation]>([
  [
    'bytes that came',
    {
      run: ({ documents }) => documents.put(sha256(first), first),
      effects: ({ documents }) => [documents.bytes.has(sha256(first)), documents.bytes.missing().length === 0]
    }
  ],
  [
    'a document that waits',
    {
      run: async ({ documents }) => await documents.queue.add(documents.judge(signed())),
      effects: ({ documents }) => [documents.queue.size === 1]
    }
  ]
])('a secondary that is killed at any moment has it wholly or not at all: %s', async (_, operation) => {
  expect(await crashEverywhere(network.path('s'), asSecondary(), operation)).toBeGreaterThan(3)
})
