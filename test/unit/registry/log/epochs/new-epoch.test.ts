import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { SigningKey } from '../../../../../src/identity/keys.ts'
import { OtherEpochError } from '../../../../../src/registry/log/apply-entries.ts'
import { openEpoch, planEpoch, withReplica } from '../../../../../src/registry/log/epochs/new-epoch.ts'
import { sealEntry } from '../../../../../src/registry/objects/entry.ts'
import { openRegistry, type Registry } from '../../../../../src/registry/registry.ts'
import { day, type RealNetwork } from '../../../../helpers/real-network.ts'
import { epochStage } from '../../../../helpers/registry/epoch-stage.ts'

let network: RealNetwork
let keeper: Registry
let keeperKey: SigningKey
let init: Awaited<ReturnType<typeof epochStage>>['init']
let hal: SigningKey

beforeEach(async () => {
  ;({ network, keeper, keeperKey, init } = await epochStage())
  hal = await network.admit('hal')
  await network.sync(keeper)
  return async () => await network[Symbol.asyncDispose]()
})

const opened = async (run: (registry: Registry) => Promise<void>): Promise<void> => {
  const registry = await openRegistry(
    {
      path: network.path('keeper'),
      role: 'secondary',
      nodeKey: keeperKey
    },
    { clock: network.clock }
  )
  try {
    await run(registry)
  } finally {
    await registry.close()
  }
}

describe('a new epoch from an entry below the head', () => {
  it('makes what is above it void, with revokes that are in force no more, and goes on after a crash', async () => {
    const rightN = network.root.replica.head.n
    await network.root.admission.revoke(hal.publicKey, 'a thief')
    await network.admit('evil')
    await network.sync(keeper)
    await keeper.close()
    const plan = await planEpoch(init({ fromN: rightN }))
    expect(plan.fork.n).toBe(rightN)
    expect(plan.voided.map(({ kind }) => kind)).toContain('revoke')
    expect(plan.newest.at(-1)).toMatchObject({ n: rightN, kind: 'admit', name: 'hal' })

    const begun = init({ fromN: rightN })
    await openEpoch(begun)
    await openEpoch(begun)
    await opened(async ({ replica, admission }) => {
      expect(replica.head.epoch).toBe(1)
      expect(replica.isMember(hal.publicKey)).toBe(true)
      expect(replica.state.memberByName('evil')).toBeUndefined()
      expect(replica.authorityRevocations.revokes()).toEqual([])
      expect(admission.offered.list()).toMatchObject([{ reason: 'a thief', epoch: 0, n: rightN + 1 }])
      expect(await admission.offered.dismiss(hal.publicKey)).toBe(true)
      expect(await admission.offered.dismiss(hal.publicKey)).toBe(false)
      expect(admission.offered.list()).toEqual([])
    })
  })

  it('leaves invites taken back that were taken back above it, and knows none that were made there', async () => {
    const { admission } = network.root
    const cancel = async ({ grant }: Awaited<ReturnType<typeof admission.invite>>): Promise<unknown> =>
      await admission.cancelInvite(Buffer.from(grant.id).toString('hex'), 'the line leaked')
    const [leaked, open] = [
      await admission.invite({ role: 'integrated' }),
      await admission.invite({ role: 'integrated' })
    ]
    const rightN = network.root.replica.head.n
    await cancel(leaked)
    await cancel(await admission.invite({ role: 'integrated' }))
    await network.sync(keeper)
    await keeper.close()
    await openEpoch(init({ fromN: rightN }))
    await opened(async ({ replica: { state } }) => {
      expect([...state.grants()].map(({ grant }) => grant.id)).toEqual([open.grant.id])
      expect(state.grant(leaked.grant.id)).toBeUndefined()
    })
    // Entries that an earlier cut made void lie below the head by now.
    await openEpoch(init())
    await opened(async ({ replica: { state } }) => expect(state.grant(open.grant.id)).toBeDefined())
  })

  it('keeps members whose membership is longer than the policy of today allows', async () => {
    await network.root.admission.changePolicy({ membershipMs: day })
    const rightN = network.root.replica.head.n
    await network.root.admission.revoke(hal.publicKey, 'a thief')
    await network.sync(keeper)
    await keeper.close()
    await openEpoch(init({ fromN: rightN }))
    await opened(async ({ replica }) => expect(replica.isMember(hal.publicKey)).toBe(true))
  })

  it('below an epoch that was opened before accuses nobody who still stands in that one', async () => {
    const rightN = network.root.replica.head.n
    await network.admit('evil')
    await network.sync(keeper)
    await keeper.close()
    await openEpoch(init())
    const left = await withReplica({ path: network.path('keeper') }, ({ checkpoint }) => Promise.resolve(checkpoint))
    await openEpoch(init({ fromN: rightN }))
    await opened(async ({ replica }) => {
      expect(replica.head.epoch).toBe(2)
      await expect(replica.observe(left?.bytes ?? new Uint8Array())).rejects.toThrow(OtherEpochError)
    })
  })

  it('begins at an entry that is held, and at none below a change of the authority', async () => {
    await keeper.close()
    const { n } = network.root.replica.head
    for (const fromN of [0, n + 1]) {
      await expect(planEpoch(init({ fromN }))).rejects.toThrow(`entry ${fromN} cannot be gone back to`)
    }
    expect((await planEpoch(init({ fromN: n }))).voided).toEqual([])
    await expect(planEpoch(init({ authority: SigningKey.generate() }))).rejects.toThrow(/does not hold the authority/)
    await expect(planEpoch(init({ node: { key: SigningKey.generate(), name: 'keeper' } }))).rejects.toThrow(
      /belongs to another member/
    )
  })

  it('cannot be made by a node whose key was revoked', async () => {
    await network.root.admission.revoke(keeperKey.publicKey, 'stolen')
    await network.sync(keeper)
    await keeper.close()
    await expect(planEpoch(init())).rejects.toThrow(/key of this node was revoked/)
  })
})

/** The keeper holds an entry that the new root never saw. */
const cutOff = async (append: () => Promise<unknown>): Promise<void> => {
  const forkN = network.root.replica.head.n
  await append()
  await network.sync(keeper)
  await keeper.close()
  await withReplica({ path: network.path('keeper'), clock: network.clock }, async (replica) => {
    const { sealDelegation } = await import('../../../../../src/registry/log/log-writer.ts')
    const next = SigningKey.generate().publicKey
    await replica.apply([sealDelegation(replica, network.authority, next, forkN).bytes])
  })
}

describe('a void revoke', () => {
  const revoked = () => network.root.admission.revoke(hal.publicKey, 'seen by few')

  it('is not entered by the registry that held it and becomes the root, but waits for the operator', async () => {
    await cutOff(revoked)
    const { reissued } = await openEpoch(init())
    expect(reissued).toBe(0)
    await opened(async ({ replica, admission }) => {
      expect(replica.state.revoked(hal.publicKey)).toBeUndefined()
      expect(admission.offered.list()).toMatchObject([{ reason: 'seen by few', epoch: 0 }])
      expect(await admission.offered.dismiss(hal.publicKey)).toBe(true)
      expect(admission.offered.list()).toEqual([])
    })
  })

  it('is enforced for a week where it was held, over restarts, and no longer', async () => {
    await cutOff(revoked)
    await opened(async ({ replica }) => expect(replica.isMember(hal.publicKey)).toBe(false))
    network.clock.advance(6 * day)
    await opened(async ({ replica }) => {
      expect(replica.state.isRevoked(hal.publicKey)).toBe(true)
      expect(replica.authorityRevocations.unsettled()).toHaveLength(1)
    })
    network.clock.advance(2 * day)
    await opened(async ({ replica }) => {
      expect(replica.state.isRevoked(hal.publicKey)).toBe(false)
      expect([replica.authorityRevocations.unsettled(), replica.authorityRevocations.revokes()]).toEqual([[], []])
    })
  })
})

describe('a void end of a membership', () => {
  const ended = () => network.root.admission.members.end(hal.publicKey, 'moved')

  it('ends nothing, and waits for the operator of the new root like a void revoke', async () => {
    await cutOff(ended)
    await openEpoch(init())
    await opened(async ({ replica, admission }) => {
      expect(replica.isMember(hal.publicKey)).toBe(true)
      expect(admission.offered.list()).toMatchObject([{ kind: 'end', reason: 'moved', epoch: 0 }])
      expect(await admission.offered.dismiss(hal.publicKey)).toBe(true)
      expect(admission.offered.list()).toEqual([])
    })
  })

  it('is told to the root for a week by whoever held it, or until the new epoch has spoken', async () => {
    await cutOff(ended)
    const told = async (): Promise<string[]> => {
      let kinds: string[] = []
      await opened(async ({ replica: { authorityRevocations } }) => {
        kinds = authorityRevocations.unsettled().map(({ value }) => value.kind)
      })
      return kinds
    }
    expect(await told()).toEqual(['end'])
    network.clock.advance(6 * day)
    expect(await told()).toEqual(['end'])
    network.clock.advance(2 * day)
    expect(await told()).toEqual([])
  })

  it('that is handed over waits beside a revoke of the same member, once, and is nothing once the member is gone', async () => {
    const { root } = network
    const [old, head] = [network.logKey, root.replica.head]
    const entry = (kind: 'end' | 'revoke', n: number, { publicKey }: SigningKey): Uint8Array => {
      const position = { networkId: root.networkId, n, prevHash: head.hash, epoch: 0, timeMs: network.clock.now() }
      return sealEntry({ ...position, kind, body: { publicKey, reason: kind } }, old).bytes
    }
    await network.sync(keeper)
    await keeper.close()
    const logKey = SigningKey.generate()
    await openEpoch(init({ logKey }))
    const next = {
      path: network.path('keeper'),
      role: 'root' as const,
      nodeKey: keeperKey,
      root: { logKey }
    }
    const registry = await openRegistry(next, { clock: network.clock })
    onTestFinished(() => registry.close())
    const { admission, alarms } = registry
    const handed = (bytes: Uint8Array) => admission.reissueEntry(bytes, keeperKey.publicKey)
    for (const each of [entry('end', 50, hal), entry('end', 51, hal), entry('revoke', 52, hal)])
      await expect(handed(each)).rejects.toThrow('waits for the operator')
    const [first] = alarms.list()
    expect(first).toMatchObject({ code: 'void_revokes', message: expect.stringContaining('revoke of hal') })
    expect(admission.offered.list()).toMatchObject([
      { kind: 'end', n: 50 },
      { kind: 'revoke', n: 52 }
    ])
    expect(await handed(entry('end', 53, keeperKey))).toEqual({ entry: new Uint8Array(0) })
    await admission.members.end(hal.publicKey, 'it was right')
    expect(admission.offered.list()).toEqual([])
    expect(await handed(entry('end', 54, hal))).toEqual({ entry: new Uint8Array(0) })
  })
})
