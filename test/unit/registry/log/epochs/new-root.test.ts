import { beforeEach, describe, expect, it } from 'vitest'
import { sha256 } from '../../../../../src/identity/hash.ts'
import { SigningKey } from '../../../../../src/identity/keys.ts'
import { OfferedRevokes } from '../../../../../src/registry/admission/offered-revokes.ts'
import { type NewEpoch, openEpoch, planEpoch, withReplica } from '../../../../../src/registry/log/epochs/new-epoch.ts'
import { type EntryDraft, sealAuthority } from '../../../../../src/registry/log/log-writer.ts'
import type { Replica } from '../../../../../src/registry/log/replica.ts'
import { entryKinds, sealEntry } from '../../../../../src/registry/objects/entry.ts'
import type { Registry } from '../../../../../src/registry/registry.ts'
import { ordered } from '../../../../helpers/operator-orders.ts'
import type { RealNetwork } from '../../../../helpers/real-network.ts'
import { epochStage } from '../../../../helpers/registry/epoch-stage.ts'

let network: RealNetwork
let keeper: Registry
let keeperKey: SigningKey
let init: Awaited<ReturnType<typeof epochStage>>['init']

beforeEach(async () => {
  ;({ network, keeper, keeperKey, init } = await epochStage())
  return async () => await network[Symbol.asyncDispose]()
})

const held = <T>(run: (replica: Replica) => T): Promise<T> =>
  withReplica({ path: network.path('keeper'), clock: network.clock }, async (replica) => run(replica))
const membersOf = ({ state }: Replica): string[] => [...state.members()].map(({ name }) => name).toSorted()
const operatorNames = ({ state }: Replica): string[] => state.operators().map(({ name }) => name)

const handOver = async (): Promise<void> => {
  await network.sync(keeper)
  await keeper.close()
}

describe('a machine that becomes the root', () => {
  it('is admitted when it is no member yet, beside the former root, which is a secondary from then on', async () => {
    await handOver()
    const node = { key: SigningKey.generate(), name: 'rescue' }
    const made = await openEpoch(init({ node }))
    expect([made.admitted, made.revoked, made.former.map(({ name }) => name)]).toEqual(['rescue', [], ['root']])
    expect(await held(membersOf)).toEqual(['keeper', 'rescue', 'root'])
    const roles = await held(({ state }) => ['root', 'rescue'].map((name) => state.memberByName(name)?.role))
    expect(roles).toEqual(['secondary', 'root'])
  })

  it('is a member for as long as the policy says', async () => {
    const membershipMs = 7 * 24 * 3_600_000
    await network.root.admission.changePolicy({ membershipMs })
    await handOver()
    const key = SigningKey.generate()
    await openEpoch(init({ node: { key, name: 'rescue' } }))
    const endMs = await held(({ state }) => state.member(key.publicKey)?.notAfterMs)
    const leftMs = (endMs ?? 0) - network.clock.now()
    expect([leftMs <= membershipMs, leftMs > membershipMs - 3_600_000]).toEqual([true, true])
  })

  it('takes the place and the name of the former root, which is shut out', async () => {
    await handOver()
    const made = await openEpoch(init({ node: { key: SigningKey.generate(), name: 'root' } }))
    expect(made.revoked.map(({ name }) => name)).toEqual(['root'])
    const former = network.rootKey.publicKey
    expect(await held(({ state }) => [state.isRevoked(former), state.memberByName('root')?.role])).toEqual([
      true,
      'root'
    ])
  })

  it('with the log key of today goes on in its epoch', async () => {
    await handOver()
    const made = await openEpoch(init({ logKey: network.logKey }))
    expect([made.epoch, made.head.epoch]).toEqual([0, 0])
    expect(await held(({ state }) => state.rootRegistry()?.publicKey)).toEqual(keeperKey.publicKey)
  })

  it('goes back to no entry below a change of the authority, and at most to that', async () => {
    await handOver()
    const next = network.nextAuthority
    const n = await withReplica({ path: network.path('keeper'), clock: network.clock }, async (replica) => {
      await replica.apply([sealAuthority(replica, next, sha256(SigningKey.generate().publicKey)).bytes])
      return replica.head.n
    })
    await openEpoch(init({ authority: next }))
    await expect(planEpoch(init({ authority: next, fromN: n - 1 }))).rejects.toThrow(`go back to ${n} at most`)
    expect((await planEpoch(init({ authority: next, fromN: n }))).voided[0]).toMatchObject({ kind: 'delegate' })
    await expect(planEpoch(init({ fromN: n }))).rejects.toThrow('does not hold the authority')
  })
})

describe('the operator of a new root', () => {
  const ann = SigningKey.generate()
  const enter = async (name: string, publicKey: Uint8Array): Promise<void> => {
    const { orders } = network.root.admission
    const content = { kind: 'operator' as const, body: { publicKey, name, removed: false } }
    const first = network.root.replica.state.operators().length === 0
    if (first) await network.root.root?.append([content])
    else await orders.submit([ordered(network, ann, content)], network.rootKey.publicKey)
  }

  it('is entered by the name of the machine, or with the number of the epoch where that is taken', async () => {
    await enter('ann', ann.publicKey)
    await handOver()
    const ben = SigningKey.generate()
    await openEpoch(init({ node: { key: keeperKey, name: 'keeper', operatorKey: ben } }))
    expect(await held(operatorNames)).toEqual(['ann', 'keeper'])
    const cid = SigningKey.generate()
    await openEpoch(init({ node: { key: keeperKey, name: 'keeper', operatorKey: cid } }))
    expect(await held(operatorNames)).toEqual(['ann', 'keeper', 'keeper-2'])
    await openEpoch(init({ node: { key: keeperKey, name: 'keeper', operatorKey: cid } }))
    expect(await held(operatorNames)).toEqual(['ann', 'keeper', 'keeper-2'])
  })

  it('takes the place of that of a machine that is shut out, unless both have one key', async () => {
    await enter('root', ann.publicKey)
    await enter('zoe', SigningKey.generate().publicKey)
    await handOver()
    const kept = { key: keeperKey, name: 'keeper', operatorKey: ann }
    await openEpoch(init({ node: kept, revokeFormer: true }))
    expect(await held(operatorNames)).toEqual(['root', 'zoe'])
    expect(await held(({ state }) => state.isRevoked(network.rootKey.publicKey))).toBe(true)
  })

  it('removes the operator of the machine that is shut out', async () => {
    await enter('root', ann.publicKey)
    await handOver()
    const operatorKey = SigningKey.generate()
    await openEpoch(init({ node: { key: keeperKey, name: 'keeper', operatorKey }, revokeFormer: true }))
    expect(await held(operatorNames)).toEqual(['keeper'])
  })
})

describe('operators who were removed above the entry that is gone back to', () => {
  const ann = SigningKey.generate()
  const node = () => ({ key: keeperKey, name: 'keeper', operatorKey: SigningKey.generate() })
  const order = async (content: EntryDraft, operators = [ann]): Promise<void> => {
    const acts = operators.map((operator) => ordered(network, operator, content))
    for (const act of acts.slice(0, -1)) {
      await expect(network.root.admission.orders.submit([act], network.rootKey.publicKey)).rejects.toThrow(
        'two operators'
      )
    }
    await network.root.admission.orders.submit(acts.slice(-1), network.rootKey.publicKey)
  }
  const operator = (key: SigningKey, name: string, removed: boolean): EntryDraft => ({
    kind: 'operator',
    body: { publicKey: key.publicKey, name, removed }
  })
  const namesOf = ({ again }: NewEpoch) =>
    again.map(({ content, refused }) => [content.kind === 'operator' ? content.body.name : '', refused])

  it('are removed again, however many, but not who was entered again there; a plan names them', async () => {
    await network.root.root?.append([operator(ann, 'ann', false)])
    const others = Array.from({ length: 9 }, (_, i) => ({ key: SigningKey.generate(), name: `op${i}` }))
    for (const { key, name } of others) await order(operator(key, name, false))
    const rightN = network.root.replica.head.n
    for (const { key, name } of others) await order(operator(key, name, true))
    for (const { key, name } of others.slice(0, 1)) await order(operator(key, name, false))
    await handOver()
    const gone = others.slice(1).map(({ name }) => [name, undefined])
    const begun = init({ node: node(), fromN: rightN })
    expect(namesOf(await planEpoch(begun))).toEqual(gone)
    expect(namesOf(await openEpoch(begun))).toEqual(gone)
    expect((await held(operatorNames)).toSorted()).toEqual(['ann', 'keeper', 'op0'])
    // What an earlier cut made void is over.
    expect(namesOf(await openEpoch(init({ node: node() })))).toEqual([])
  })

  it('stay where the new root has the key of one, and are named where the rules keep them', async () => {
    const [ben, cid] = [SigningKey.generate(), SigningKey.generate()]
    await network.root.root?.append([operator(ann, 'ann', false)])
    await order(operator(ben, 'ben', false))
    await order(operator(cid, 'cid', false))
    const rightN = network.root.replica.head.n
    await order(operator(ben, 'ben', true))
    await order(operator(ann, 'ann', true), [cid])
    await handOver()
    expect(namesOf(await openEpoch(init({ node: { ...node(), operatorKey: ben }, fromN: rightN })))).toEqual([
      ['ann', undefined]
    ])
    expect((await held(operatorNames)).toSorted()).toEqual(['ben', 'cid'])
  })

  it('are named when two operators have to order it', async () => {
    await network.root.root?.append([operator(ann, 'ann', false)])
    const others = Array.from({ length: 9 }, (_, i) => ({ key: SigningKey.generate(), name: `op${i}` }))
    for (const { key, name } of others) await order(operator(key, name, false))
    const { policy } = network.root.replica.state
    const second = others.slice(0, 1).map(({ key }) => key)
    await order({ kind: 'policy', body: { ...policy, twoOperators: [entryKinds.operator] } })
    const rightN = network.root.replica.head.n
    for (const { key, name } of others.slice(1)) await order(operator(key, name, true), [ann, ...second])
    await handOver()
    const named = namesOf(await openEpoch(init({ node: node(), fromN: rightN })))
    const left = named.filter(([, refused]) => refused !== undefined)
    expect(left.length).toBeGreaterThan(0)
    expect(new Set(left.map(([, refused]) => refused))).toEqual(
      new Set([expect.stringContaining('asks for two operators')])
    )
    expect(await held(operatorNames)).toEqual(expect.arrayContaining(left.map(([name]) => name)))
  })
})

describe('going back', () => {
  it('lets in again whom a revoke of this store had hit, but nobody for a revoke that somebody handed over', async () => {
    const [hal, ina] = [await network.admit('hal'), await network.admit('ina')]
    const rightN = network.root.replica.head.n
    await network.root.admission.revoke(hal.publicKey, 'a thief')
    const { publicKey } = SigningKey.generate()
    await network.root.root?.append([{ kind: 'revoke', body: { publicKey, reason: 'was never here' } }])
    await handOver()
    await openEpoch(init({ fromN: rightN }))
    const admittedAt = () =>
      held(({ state }) => [hal, ina].map((each) => state.member(each.publicKey)?.admit.value.n ?? 0))
    const [halN = 0, inaN = 0] = await admittedAt()
    expect([halN > rightN, inaN <= rightN]).toEqual([true, true])

    await withReplica({ path: network.path('keeper') }, async (replica) => {
      const { networkId, genesis } = replica
      const body = { publicKey: ina.publicKey, reason: 'says a member' }
      const position = { networkId, n: 99, prevHash: genesis.hash, epoch: 0, timeMs: 1 }
      const entry = sealEntry({ ...position, kind: 'revoke', body }, network.logKey)
      await new OfferedRevokes({ replica }).add(entry, { kind: 'revoke', body }, hal.publicKey)
    })
    await openEpoch(init())
    expect((await admittedAt())[1]).toBe(inaN)
  })
})
