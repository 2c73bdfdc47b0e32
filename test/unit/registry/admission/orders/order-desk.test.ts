import { beforeEach, describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../../src/identity/keys.ts'
import type { EntryDraft } from '../../../../../src/registry/log/log-writer.ts'
import { entryKinds } from '../../../../../src/registry/objects/entry.ts'
import type { Act } from '../../../../../src/registry/objects/orders/act.ts'
import type { Registry } from '../../../../../src/registry/registry.ts'
import {
  ChangedMeanwhileError,
  InvalidPayloadError,
  LimitError,
  LogMismatchError,
  NotFoundError,
  NotOperatorError,
  NotRootError,
  RefusedError,
  SecondOperatorError
} from '../../../../../src/runtime/errors.ts'
import { asked, ordered } from '../../../../helpers/operator-orders.ts'
import { day, RealNetwork } from '../../../../helpers/real-network.ts'

const hour = 3_600_000
const [ann, ben] = [SigningKey.generate(), SigningKey.generate()]
let network: RealNetwork
let registry: Registry
let from: Uint8Array

/** A network whose root has ann's key; members are revoked by two operators. */
beforeEach(async () => {
  network = await RealNetwork.create({}, { root: { operatorKey: ann } })
  registry = network.root
  from = network.rootKey.publicKey
  const { operators, author } = operatorsOf(registry)
  await operators.add('ann', ann.publicKey, author)
  await operators.add('ben', ben.publicKey, author)
  await registry.admission.changePolicy({ twoOperators: [entryKinds.revoke] })
  return async () => await network[Symbol.asyncDispose]()
})

const operatorsOf = ({ admission: { orders } }: Registry) => ({ operators: orders.operators, author: orders.author() })
const submit = (...acts: Act[]) => registry.admission.orders.submit(acts, from)
const waiting = (): string[] => registry.admission.orders.waiting().map(({ id }) => id)
const revokeOf = ({ publicKey }: SigningKey, name: string): EntryDraft => ({
  kind: 'revoke',
  body: { publicKey, reason: 'lost', name }
})

describe('an act that needs two operators', () => {
  let hal: SigningKey
  let revoke: EntryDraft

  beforeEach(async () => {
    hal = await network.admit('hal')
    revoke = revokeOf(hal, 'hal')
  })

  it('gives way to the order of another one when who ordered it was removed', async () => {
    const { operators, author } = operatorsOf(registry)
    await operators.add('cat', SigningKey.generate().publicKey, author)
    await expect(submit(ordered(network, ben, revoke))).rejects.toThrow(SecondOperatorError)
    await operators.remove(operators.find('ben'), author)
    await expect(submit(ordered(network, ann, revoke))).rejects.toThrow(SecondOperatorError)
    expect(waiting()).toHaveLength(1)
    await expect(submit(ordered(network, ben, revoke))).rejects.toThrow(NotOperatorError)
    expect(registry.replica.isMember(hal.publicKey)).toBe(true)
  })

  it('waits after the first, over restarts, and is entered with both orders after the second', async () => {
    await expect(submit(ordered(network, ben, revoke))).rejects.toThrow(SecondOperatorError)
    const [id] = waiting()
    await registry.close()
    registry = await network.startRoot({ root: { operatorKey: ann } })
    expect(waiting()).toEqual([id])
    await expect(submit(ordered(network, ben, revoke))).rejects.toThrow(`operator approve ${id}`)
    expect(waiting()).toEqual([id])
    const [entry] = await submit(ordered(network, ann, revoke))
    expect(entry?.value.orders).toHaveLength(2)
    expect(registry.replica.isMember(hal.publicKey)).toBe(false)
    expect(waiting()).toEqual([])
  })

  it('is ordered by the operator of the machine like by the others', async () => {
    await expect(registry.admission.revoke(hal.publicKey, 'lost')).rejects.toThrow(SecondOperatorError)
    expect(waiting()).toHaveLength(1)
    await submit(ordered(network, ben, revoke))
    expect(registry.replica.isMember(hal.publicKey)).toBe(false)
    const ina = await network.admit('ina')
    await expect(submit(ordered(network, ben, revokeOf(ina, 'ina')))).rejects.toThrow(SecondOperatorError)
    await registry.admission.revoke(ina.publicKey, 'lost')
    expect([registry.replica.isMember(ina.publicKey), waiting()]).toEqual([false, []])
  })

  it('is forgotten after a day, and when what it would change has changed', async () => {
    await expect(submit(ordered(network, ben, revoke))).rejects.toThrow(SecondOperatorError)
    network.clock.advance(25 * hour)
    expect(waiting()).toEqual([])
    await expect(submit(ordered(network, ben, revoke))).rejects.toThrow(SecondOperatorError)
    await submit(ordered(network, ann, { kind: 'change', body: { ...memberBody(hal), groups: ['db'] } }))
    await expect(submit(ordered(network, ann, revoke))).rejects.toThrow(ChangedMeanwhileError)
    expect([waiting(), registry.replica.isMember(hal.publicKey)]).toEqual([[], true])
  })

  it('stays on the list when the second could not be entered for another reason', async () => {
    await expect(submit(ordered(network, ben, revoke))).rejects.toThrow(SecondOperatorError)
    registry.root?.fence('others may hold more of the log')
    await expect(submit(ordered(network, ann, revoke))).rejects.toThrow('others may hold more of the log')
    registry.root?.release()
    expect(waiting()).toHaveLength(1)
    await submit(ordered(network, ann, revoke))
    expect(registry.replica.isMember(hal.publicKey)).toBe(false)
  })

  it('is taken back by who ordered it, or by any when that one is no operator any more, and not by an older word', async () => {
    const { orders } = registry.admission
    const { operators, author } = operatorsOf(registry)
    const by = ({ publicKey }: SigningKey, timeMs = network.clock.now()) => ({ publicKey, timeMs })
    await expect(submit(ordered(network, ben, revoke))).rejects.toThrow('`trustnet operator withdraw')
    const [id = ''] = waiting()
    await expect(orders.withdraw(id, by(ann))).rejects.toThrow(RefusedError)
    await expect(orders.withdraw(id, by(ben, network.clock.now() - 1))).rejects.toThrow(ChangedMeanwhileError)
    expect(waiting()).toEqual([id])
    await orders.withdraw(id, by(ben))
    await expect(orders.withdraw(id, by(ben))).rejects.toThrow(NotFoundError)
    await expect(submit(ordered(network, ann, revoke))).rejects.toThrow(SecondOperatorError)
    await orders.withdraw(id, by(ann))
    network.clock.advance(1)
    await expect(submit(ordered(network, ben, revoke))).rejects.toThrow(SecondOperatorError)
    await operators.add('cat', SigningKey.generate().publicKey, author)
    await operators.remove(operators.find('ben'), author)
    await orders.withdraw(id, by(ann))
    expect([waiting(), registry.replica.isMember(hal.publicKey)]).toEqual([[], true])
  })

  it('that was taken back counts no more when it comes again, over restarts, also beside the order of another one', async () => {
    const [early, late] = [ordered(network, ben, revoke), ordered(network, ben, revoke)]
    await expect(submit(late)).rejects.toThrow(SecondOperatorError)
    await registry.admission.orders.withdraw(waiting()[0] ?? '', {
      publicKey: ben.publicKey,
      timeMs: network.clock.now()
    })
    await registry.close()
    registry = await network.startRoot({ root: { operatorKey: ann } })
    for (const each of [early, late]) await expect(submit(each)).rejects.toThrow(ChangedMeanwhileError)
    expect(waiting()).toEqual([])
    await expect(submit(ordered(network, ann, revoke))).rejects.toThrow(SecondOperatorError)
    for (const each of [early, late]) await expect(submit(each)).rejects.toThrow(ChangedMeanwhileError)
    expect(registry.replica.isMember(hal.publicKey)).toBe(true)
    network.clock.advance(1)
    await submit(ordered(network, ben, revoke))
    expect(registry.replica.isMember(hal.publicKey)).toBe(false)
  })

  it('is taken back or done, and not both, where these meet', async () => {
    const { root, admission } = registry
    const { orders } = admission
    const withdraw = (key: SigningKey, id: string) =>
      orders.withdraw(id, { publicKey: key.publicKey, timeMs: network.clock.now() })
    await expect(submit(ordered(network, ben, revoke))).rejects.toThrow(SecondOperatorError)
    const [id = ''] = waiting()
    const back = withdraw(ben, id)
    await expect(submit(ordered(network, ann, revoke))).rejects.toThrow(SecondOperatorError)
    await back
    expect([waiting(), registry.replica.isMember(hal.publicKey)]).toEqual([[id], true])
    network.clock.advance(1)
    const append = root?.append.bind(root)
    if (root === undefined || append === undefined) throw new Error('this registry is not the root')
    let late: Promise<unknown> | undefined
    root.append = async (...args) => {
      late = withdraw(ann, id).catch((error: unknown) => error)
      return await append(...args)
    }
    await submit(ordered(network, ben, revoke))
    expect(await late).toBeInstanceOf(ChangedMeanwhileError)
    expect([waiting(), registry.replica.isMember(hal.publicKey)]).toEqual([[], false])
  })

  it('is one of 64', async () => {
    const revokes = Array.from({ length: 65 }, () => SigningKey.generate()).map(
      ({ publicKey }): EntryDraft => ({ kind: 'revoke', body: { publicKey, reason: 'lost' } })
    )
    for (const each of revokes.slice(0, 64)) {
      await expect(submit(ordered(network, ben, each))).rejects.toThrow(SecondOperatorError)
    }
    const last = revokes.slice(64).map((each) => ordered(network, ben, each))
    await expect(submit(...last)).rejects.toThrow(LimitError)
    expect(waiting()).toHaveLength(64)
    // Whoever has fewer takes the place of the oldest.
    const [oldest] = waiting()
    await expect(submit(ordered(network, ann, revoke))).rejects.toThrow(SecondOperatorError)
    expect(waiting()).toHaveLength(64)
    expect(waiting()).not.toContain(oldest)
    await submit(ordered(network, ben, revoke))
    expect(registry.replica.isMember(hal.publicKey)).toBe(false)
  })

  it('is of no operator whose key was revoked', async () => {
    await expect(submit(ordered(network, ben, revoke))).rejects.toThrow(SecondOperatorError)
    const ends: EntryDraft = { kind: 'revoke', body: { publicKey: ben.publicKey, reason: 'lost' } }
    await registry.admission.changePolicy({ twoOperators: [] })
    await submit(ordered(network, ann, ends))
    await registry.admission.changePolicy({ twoOperators: [entryKinds.revoke] })
    await expect(submit(ordered(network, ben, revoke))).rejects.toThrow(/was revoked and orders nothing/)
    await expect(submit(ordered(network, ann, revoke))).rejects.toThrow(SecondOperatorError)
    expect(registry.replica.isMember(hal.publicKey)).toBe(true)
  })

  const memberBody = ({ publicKey }: SigningKey) => {
    const { name = '', role = 'integrated' } = registry.replica.state.member(publicKey) ?? {}
    return { publicKey, name, role }
  }
})

describe('an order', () => {
  const policy = (grantUses: number): EntryDraft => ({
    kind: 'policy',
    body: { ...registry.replica.state.policy, grantUses }
  })

  it('that comes again after a restart is answered with its entry, for a day', async () => {
    const act = ordered(network, ben, policy(3))
    const [made] = await submit(act)
    await submit(ordered(network, ben, policy(4)))
    await registry.close()
    registry = await network.startRoot({ root: { operatorKey: ann } })
    expect((await submit(act)).map(({ value }) => value.n)).toEqual([made?.value.n])
    network.clock.advance(2 * day)
    await submit(ordered(network, ben, policy(5)))
    await expect(submit(act)).rejects.toThrow(ChangedMeanwhileError)
    expect(registry.replica.state.policy.grantUses).toBe(5)
  })

  it('for several entries enters all of them or none', async () => {
    const [hal, ina] = [await network.admit('hal'), await network.admit('ina')]
    const end = (key: SigningKey): EntryDraft => ({ kind: 'end', body: { publicKey: key.publicKey, reason: 'moved' } })
    const { n } = registry.replica.head
    const gone = ordered(network, ben, end(SigningKey.generate()))
    await expect(submit(ordered(network, ben, end(hal)), gone)).rejects.toThrow(/is no member/)
    expect(registry.replica.head.n).toBe(n)
    const entries = await submit(ordered(network, ben, end(hal)), ordered(network, ben, end(ina)))
    expect(entries.map(({ value }) => value.n)).toEqual([n + 1, n + 2])
  })

  it('enters no registry, as those come by themselves, and lets nobody in beside other entries', async () => {
    const hal = await network.admit('hal')
    const set = (removed: boolean): EntryDraft => ({
      kind: 'registrySet',
      body: { publicKey: hal.publicKey, role: 'secondary', removed }
    })
    await expect(submit(ordered(network, ben, set(false)))).rejects.toThrow('registries enter the set by themselves')
    const { join } = network.wish({ name: 'box' })
    const { publicKey } = SigningKey.generate()
    const admit: EntryDraft = {
      kind: 'admit',
      body: { publicKey, name: 'box', role: 'integrated', notAfterMs: 1, via: 'approved', join }
    }
    const [one, two] = [ordered(network, ben, admit), ordered(network, ben, policy(9))]
    await expect(submit(one, two)).rejects.toThrow('an admission is ordered alone')
    await expect(submit(one)).rejects.toThrow(NotFoundError)
    await network.enter(hal)
    expect((await submit(ordered(network, ben, set(true))))[0]?.value).toMatchObject({ kind: 'registrySet' })
  })

  it('takes a join off the list when it shuts the key out', async () => {
    await registry.admission.changePolicy({ twoOperators: [] })
    const key = SigningKey.generate()
    await registry.admission.join(network.wish({ key, name: 'box' })).catch(() => undefined)
    expect(registry.admission.pending()).toHaveLength(1)
    await submit(ordered(network, ben, { kind: 'revoke', body: { publicKey: key.publicKey, reason: 'a thief' } }))
    expect(registry.admission.pending()).toEqual([])
  })

  it.each(['signer', 'time'] as const)('by the wrong %s is refused', async (wrong) => {
    const act =
      wrong === 'signer'
        ? ordered(network, SigningKey.generate(), policy(3))
        : ordered(network, ben, policy(3), { timeMs: network.clock.now() - hour })
    await expect(submit(act)).rejects.toThrow(wrong === 'signer' ? NotOperatorError : LogMismatchError)
  })

  it('is entered by the root alone', async () => {
    const secondary = await network.addSecondary('two')
    const act = ordered(network, ben, policy(3))
    const { orders } = secondary.admission
    await expect(orders.submit([act], from)).rejects.toThrow(NotRootError)
    await expect(orders.rejectJoin(from, 'no')).rejects.toThrow(NotRootError)
    expect(() => orders.author()).toThrow(NotRootError)
    expect(orders.waiting()).toEqual([])
  })
})

describe('a question of an operator', () => {
  const question = Buffer.from('which joins wait?')

  it('is answered when it is signed for just that, by an operator, now, in this epoch', () => {
    const ask = (order: Uint8Array): void => registry.admission.orders.requireAsker(question, order, from)
    expect(() => ask(asked(network, ben, question))).not.toThrow()
    const minute = 60_000
    const { epoch } = registry.replica.head
    const refused: [Uint8Array, new (message: string) => Error][] = [
      [asked(network, ben, Buffer.from('another one')), InvalidPayloadError],
      [asked(network, ben, question, { kind: entryKinds.revoke }), InvalidPayloadError],
      [asked(network, SigningKey.generate(), question), NotOperatorError],
      [asked(network, ben, question, { timeMs: network.clock.now() - 60 * minute }), ChangedMeanwhileError],
      [asked(network, ben, question, { timeMs: network.clock.now() + 60 * minute }), ChangedMeanwhileError],
      [asked(network, ben, question, { epoch: epoch + 1 }), ChangedMeanwhileError]
    ]
    for (const [order, error] of refused) expect(() => ask(order)).toThrow(error)
  })
})

describe('the operators of a network', () => {
  it('are found by name and key, are entered once, and the last two stay while the policy asks for two', async () => {
    const { operators, author } = operatorsOf(registry)
    expect(operators.find('ben').publicKey).toEqual(ben.publicKey)
    expect(operators.find(ben.publicKey).name).toBe('ben')
    for (const nobody of ['cid', SigningKey.generate().publicKey]) {
      expect(() => operators.find(nobody)).toThrow(NotFoundError)
    }
    expect(await operators.add('ben', ben.publicKey, author)).toBeUndefined()
    await expect(operators.add('benjamin', ben.publicKey, author)).rejects.toThrow('that of the operator ben already')
    await expect(operators.remove(operators.find('ben'), author)).rejects.toThrow('enter another one first')
    await operators.add('cid', SigningKey.generate().publicKey, author)
    await operators.remove(operators.find('ben'), author)
    expect(registry.replica.state.operators().map(({ name }) => name)).toEqual(['ann', 'cid'])
  })
})
