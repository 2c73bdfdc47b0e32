import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sha256 } from '../../../src/identity/hash.ts'
import { SigningKey } from '../../../src/identity/keys.ts'
import type { IssuedInvite } from '../../../src/registry/admission/invites.ts'
import { createNetwork } from '../../../src/registry/create-network.ts'
import { sealDelegation } from '../../../src/registry/log/log-writer.ts'
import { sealRenewRequest } from '../../../src/registry/objects/renew-request.ts'
import { openRegistry, type Registry } from '../../../src/registry/registry.ts'
import { ForkError, InviteUsedError, PendingError, StoreError } from '../../../src/runtime/errors.ts'
import { crashEverywhere, type OpenInit, type Operation, openAt } from '../../helpers/faults/failpoints.ts'
import { crashStore, SimulatedCrash, stepsOf, unwatchStore } from '../../helpers/faults/store-faults.ts'
import { envelopesAfter } from '../../helpers/log-network.ts'
import { day, RealNetwork, recordBy } from '../../helpers/real-network.ts'
import { serviceNamed } from '../../helpers/signed-objects.ts'
import { memoryFolder } from '../../helpers/temp.ts'

let network: RealNetwork
let bob: SigningKey
let invite: IssuedInvite
/** One that the follower knows, too. */
let known: IssuedInvite
let replacement: IssuedInvite
/** Closed stores: the root's and a secondary's that is behind it. */
let rootStore: string
let behindStore: string
let ahead: Registry
const ann = SigningKey.generate()
const carl = SigningKey.generate()
const secondKey = SigningKey.generate()

/** Refused as it should be; a crash is none. */
const refused = async (run: Promise<unknown>, by: string): Promise<void> => {
  const error = await run.then(
    () => undefined,
    (reason: unknown) => reason
  )
  if (error instanceof SimulatedCrash) throw error
  expect(error).toMatchObject({ name: by })
}
const isWaiting = (run: Promise<unknown>): Promise<void> => refused(run, PendingError.name)

beforeAll(async () => {
  network = await RealNetwork.create({ grantMs: 60 * day })
  bob = await network.admit('bob')
  await network.root.admission.join({
    ...network.wish({
      key: secondKey,
      name: 'second',
      role: 'secondary',
      invite: await network.invite({ role: 'secondary' })
    })
  })
  known = await network.invite({ ttlMs: 60 * day })
  // A follower that has bob and his record, and not what follows.
  const behind = await network.openReplica('behind', secondKey)
  await behind.records.put(recordBy(network.root, bob, 1))
  await network.root.records.put(recordBy(network.root, bob, 1))
  await behind.close()
  behindStore = network.path('behind')
  for (let member = 0; member < 26; member++) await network.admit(`m${member}`)
  network.clock.advance(50 * day)
  await isWaiting(network.root.admission.join(network.wish({ key: carl, name: 'carl' })))
  invite = await network.invite()
  replacement = await network.invite({ replaces: 'bob' })
  await network.root.root?.checkpoint()
  rootStore = `${network.path('root')}.closed`
  await network.root.backup(rootStore)
  ahead = network.root
})

afterAll(() => network[Symbol.asyncDispose]())

const asRoot = (): OpenInit => {
  const { clock, logKey, rootKey } = network
  return { role: 'root', nodeKey: rootKey, root: { logKey }, components: { clock } }
}

const asSecondary = (): OpenInit => ({ role: 'secondary', nodeKey: secondKey, components: { clock: network.clock } })

const isMember = ({ replica }: Registry, key: SigningKey): boolean => replica.isMember(key.publicKey)

const atRoot: Record<string, () => Operation> = {
  'a join by invite': () => ({
    run: async ({ admission }) => {
      await admission.join(network.wish({ key: ann, name: 'ann', invite }))
      // The use is neither lost nor given twice.
      await refused(admission.join(network.wish({ name: 'another', invite })), InviteUsedError.name)
    },
    effects: (registry) => [isMember(registry, ann), registry.replica.head.n > ahead.replica.head.n]
  }),
  'a machine that takes the place of another': () => ({
    run: ({ admission }) => admission.join(network.wish({ key: ann, name: 'bob', invite: replacement })),
    effects: (registry) => [isMember(registry, ann), !isMember(registry, bob)]
  }),
  'a revocation': () => ({
    run: ({ admission }) => admission.revoke(bob.publicKey, 'lost'),
    effects: (registry) => [!isMember(registry, bob), registry.replica.state.isRevoked(bob.publicKey)]
  }),
  'a renewal': () => ({
    run: ({ admission, networkId }) => {
      const notAfterMs = ahead.replica.state.member(bob.publicKey)?.notAfterMs ?? 0
      return admission.renew(sealRenewRequest({ networkId, publicKey: bob.publicKey, notAfterMs }, bob).bytes)
    },
    effects: ({ replica }) => [(replica.state.member(bob.publicKey)?.notAfterMs ?? 0) > network.clock.now() + 80 * day]
  }),
  'the operator’s word for one who waits': () => ({
    run: ({ admission }) => admission.approve('carl'),
    effects: (registry) => [isMember(registry, carl), registry.admission.pending().length === 0]
  }),
  'the operator’s refusal': () => ({
    run: ({ admission }) => admission.reject('carl', 'unknown'),
    effects: ({ admission }) => [admission.pending().length === 0]
  }),
  'a join that begins to wait': () => ({
    run: ({ admission }) => isWaiting(admission.join(network.wish({ key: ann, name: 'ann' }))),
    effects: ({ admission }) => [admission.pending().length === 2]
  }),
  'a checkpoint': () => ({
    run: async ({ root }) => {
      network.clock.advance(1000)
      await root?.checkpoint()
    },
    effects: ({ replica }) => [(replica.checkpoint?.value.timeMs ?? 0) > (ahead.replica.checkpoint?.value.timeMs ?? 0)]
  }),
  'entries that are dropped': () => ({
    run: ({ replica }) => replica.compact(),
    effects: ({ replica }) => [replica.floor > 0]
  }),
  'a node record': () => ({
    run: ({ records }) => records.put(recordBy(ahead, bob, 2, { services: [serviceNamed('web')] })),
    effects: ({ records }) => [records.get(bob.publicKey)?.seq === 2, records.offers(bob.publicKey, 'web')]
  }),
  'a value of the node': () => ({
    run: ({ meta }) => meta.set('seq', Uint8Array.of(7)),
    effects: ({ meta }) => [meta.get('seq') !== undefined]
  })
}

const entries = (): Uint8Array[] => envelopesAfter(ahead.replica, 0)
const checkpoint = (): Uint8Array => ahead.replica.checkpoint?.bytes ?? new Uint8Array()

const atSecondary: Record<string, () => Operation> = {
  'entries of the log': () => ({
    run: ({ replica }) => replica.apply(entries(), checkpoint()),
    effects: (registry) => [
      registry.replica.head.n === ahead.replica.head.n,
      registry.replica.state.memberByName('m25') !== undefined
    ]
  }),
  'a snapshot in pages': () => ({
    run: async ({ replica }) => {
      const live = ahead.replica.readLive(-1, Number.MAX_SAFE_INTEGER, ahead.replica.head.n)
      const envelopes = live.map(({ envelope }) => envelope)
      await replica.stage(envelopes.slice(0, 10), checkpoint())
      await replica.stage(envelopes.slice(10), checkpoint())
    },
    effects: ({ replica }) => [replica.head.n === ahead.replica.head.n, replica.floor === ahead.replica.head.n]
  }),
  'a new epoch that makes an entry void': () => {
    const delegation = sealDelegation(ahead.replica, network.authority, ann.publicKey, 2)
    return {
      run: ({ replica }) => replica.apply([delegation.bytes]),
      effects: ({ replica }) => [replica.head.epoch === 1, replica.head.n === 3, replica.voided().length === 5]
    }
  },
  'the proof of two histories': () => ({
    run: ({ replica }) => refused(replica.observe(network.forgedCheckpoint(2)), ForkError.name),
    effects: ({ replica }) => [replica.isForked, replica.forks().length === 1]
  }),
  'a request that waits for the root': () => ({
    run: ({ admission }) => isWaiting(admission.join(network.wish({ key: ann, name: 'ann', invite: known }))),
    effects: ({ admission }) => [admission.queued === 1, admission.queuedJoins().length === 1]
  })
}

describe('a process that is killed between any two statements', () => {
  it.each(Object.entries(atRoot))('at the root: %s is done wholly or not at all', async (_, operation) => {
    expect(await crashEverywhere(rootStore, asRoot(), operation())).toBeGreaterThan(5)
  })

  it.each(Object.entries(atSecondary))('at a secondary: %s is done wholly or not at all', async (_, operation) => {
    expect(await crashEverywhere(behindStore, asSecondary(), operation())).toBeGreaterThan(5)
  })
})

/** Crashes behind each step of making a store, and makes it again in what is left. */
const crashWhileMaking = async (make: (path: string) => Promise<unknown>, isMade: (path: string) => Promise<void>) => {
  using folder = memoryFolder()
  const steps = await stepsOf(join(folder.path, 'dry.db'), () => make(join(folder.path, 'dry.db')))
  for (let after = 0; after < steps.length; after++) {
    const path = join(folder.path, `${after}.db`)
    const leaveAt = join(folder.path, `${after}-left.db`)
    crashStore(path, { after, leaveAt })
    await expect(make(path)).rejects.toThrow(SimulatedCrash)
    unwatchStore(path)
    const again = await make(leaveAt).then(
      () => undefined,
      (error: unknown) => error
    )
    // A network that was made is not made twice.
    if (again !== undefined) expect(again).toBeInstanceOf(StoreError)
    await isMade(leaveAt)
  }
  return steps.length
}

describe('a process that is killed while it makes a store', () => {
  it('leaves a place where the network can be made', async () => {
    const { authority, clock, logKey, rootKey } = network
    const nextAuthorityDigest = sha256(ann.publicKey)
    const policy = { admission: 'open', membershipMs: 90 * day, documentBytes: 4096 } as const
    const common = { domain: 'example.org', name: 'Example', policy, authority, nextAuthorityDigest }
    const made = await crashWhileMaking(
      (path) => createNetwork({ ...common, path, founder: { key: rootKey, name: 'root', logKey }, clock }),
      async (path) => {
        await using registry = await openAt(path, asRoot())
        expect(registry.replica.head.n).toBe(2)
      }
    )
    expect(made).toBeGreaterThan(15)
  })

  it('leaves a place where the network can be entered', async () => {
    const made = await crashWhileMaking(
      async (path) => {
        await using _ = await openRegistry({ path, ...asSecondary(), genesis: ahead.genesis.bytes })
      },
      async (path) => {
        await using registry = await openAt(path, asSecondary())
        expect(registry.storeId).toHaveLength(16)
      }
    )
    expect(made).toBeGreaterThan(10)
  })
})
