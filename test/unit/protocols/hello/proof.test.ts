import { beforeEach, describe, expect, it } from 'vitest'
import type { SigningKey } from '../../../../src/identity/keys.ts'
import { statuses } from '../../../../src/protocols/engine/status.ts'
import { DiscoveryHello } from '../../../../src/protocols/hello/discovery.ts'
import { Hello } from '../../../../src/protocols/hello/pb/hello.ts'
import { proveMember, proveNetwork, requireEpoch } from '../../../../src/protocols/hello/proof.ts'
import { sealDelegation } from '../../../../src/registry/log/log-writer.ts'
import type { Replica } from '../../../../src/registry/log/replica.ts'
import { sealCheckpoint } from '../../../../src/registry/objects/checkpoint.ts'
import type { LogEntry } from '../../../../src/registry/objects/entry.ts'
import { sealEntry } from '../../../../src/registry/objects/entry.ts'
import { keyNumber, LogNetwork } from '../../../helpers/log-network.ts'
import { otherNetworkId } from '../../../helpers/signed-objects.ts'

const maxDelegations = 4
const memberNumber = 5
const member = keyNumber(memberNumber)

let network: LogNetwork
let replica: Replica

beforeEach(async () => {
  network = new LogNetwork()
  replica = (await network.start()).replica
})

/** An entry behind the head, signed by that key: what a hello shows stands in no store of the reader. */
const entryOf = (content: object, n = replica.head.n + 1, logKey: SigningKey = network.logKey): Uint8Array => {
  const { networkId, head } = replica
  const place = { networkId, n, prevHash: head.hash, epoch: head.epoch, timeMs: network.clock.now() }
  return sealEntry({ ...place, ...content } as LogEntry, logKey).bytes
}

const admitOf = (number = memberNumber) => network.admit(replica.networkId, number)

const checkpointBy = (logKey: SigningKey, timeMs = network.clock.now()): Uint8Array => {
  const { networkId, head } = replica
  const { epoch, n, hash } = head
  const state = { stateRoot: hash, rows: 1, bytes: 1, headHash: hash }
  return sealCheckpoint({ networkId, epoch, n, timeMs, ...state }, logKey).bytes
}

const helloWith = (changes: Partial<Hello> = {}): Hello => {
  const { networkId, genesis } = replica
  const shown = {
    networkId,
    genesis: genesis.bytes,
    delegations: replica.delegations(),
    checkpoint: checkpointBy(network.logKey),
    admit: entryOf(admitOf())
  }
  return Hello.decode(Hello.encode({ ...shown, ...changes }))
}

const nameOf = async (work: Promise<unknown>): Promise<string> =>
  await work.then(
    () => 'proven',
    (error: Error) => error.name
  )

describe('a network that a hello shows', () => {
  it('is proven by genesis, delegations and a checkpoint alone', async () => {
    const proof = await proveNetwork(helloWith({ admit: new Uint8Array() }), maxDelegations)
    expect(proof.networkId).toEqual(replica.networkId)
    expect(proof.checkpoint.value.n).toBe(replica.head.n)
  })

  it.each<[string, () => Partial<Hello>, string]>([
    ['no genesis', () => ({ genesis: new Uint8Array() }), 'InvalidPayloadError'],
    ['no checkpoint', () => ({ checkpoint: new Uint8Array() }), 'InvalidPayloadError'],
    ['another network id than that of its genesis', () => ({ networkId: otherNetworkId }), 'WrongNetworkError'],
    ['a genesis that is none', () => ({ genesis: Uint8Array.of(1, 2, 3) }), 'InvalidEnvelopeError'],
    ['a checkpoint of a key that is no log key', () => ({ checkpoint: checkpointBy(member) }), 'LogMismatchError'],
    ['a checkpoint of the authority', () => ({ checkpoint: checkpointBy(network.authority) }), 'LogMismatchError'],
    [
      'more delegations than are looked at',
      () => ({ delegations: Array.from({ length: maxDelegations + 1 }, () => Uint8Array.of(1)) }),
      'LimitError'
    ]
  ])('is not proven by %s', async (_, changes, name) => {
    expect(await nameOf(proveNetwork(helloWith(changes()), maxDelegations))).toBe(name)
  })

  it('is not proven by the log key before the last delegation, nor by one that is left out', async () => {
    const next = keyNumber(1005)
    await replica.apply([sealDelegation(replica, network.authority, next.publicKey).bytes])
    const byNext = { checkpoint: checkpointBy(next) }
    expect(await nameOf(proveNetwork(helloWith(byNext), maxDelegations))).toBe('proven')
    expect(await nameOf(proveNetwork(helloWith(), maxDelegations))).toBe('LogMismatchError')
    expect(await nameOf(proveNetwork(helloWith({ ...byNext, delegations: [] }), maxDelegations))).toBe(
      'LogMismatchError'
    )
  })
})

describe('a member that a hello shows', () => {
  const prove = async (changes: Partial<Hello> = {}, key = member, nowMs = network.clock.now()) => {
    const hello = helloWith(changes)
    return await proveMember(await proveNetwork(hello, maxDelegations), hello, key.publicKey, nowMs)
  }
  const renewOf = (number: number, notAfterMs: number, n = replica.head.n + 2, logKey = network.logKey) => {
    const { kind, body } = network.renew(replica, number)
    return entryOf({ kind, body: { ...body, notAfterMs } }, n, logKey)
  }
  const dayMs = 24 * 3_600_000
  const endMs = (): number => network.clock.now() + network.membershipMs

  it('is the one whose key the connection has', async () => {
    expect((await prove()).publicKey).toEqual(member.publicKey)
  })

  it.each<[string, () => Partial<Hello>, string]>([
    ['no admit entry', () => ({ admit: new Uint8Array() }), 'NotMemberError'],
    ['the admit entry of somebody else', () => ({ admit: entryOf(admitOf(6)) }), 'NotMemberError'],
    ['an entry of another kind about it', () => ({ admit: entryOf(network.revoke(memberNumber)) }), 'NotMemberError'],
    [
      'an admit entry that no log key signed',
      () => ({ admit: entryOf(admitOf(), replica.head.n + 1, keyNumber(9)) }),
      'LogMismatchError'
    ],
    ['bytes that are no entry', () => ({ admit: Uint8Array.of(9) }), 'InvalidEnvelopeError']
  ])('is none by %s', async (_, changes, name) => {
    expect(await nameOf(prove(changes()))).toBe(name)
  })

  it('is none when its membership ended before the checkpoint, by a clock that agrees', async () => {
    const checkpoint = checkpointBy(network.logKey, endMs() + dayMs)
    expect(await nameOf(prove({ checkpoint }, member, endMs() + dayMs))).toBe('NotMemberError')
    // A checkpoint far ahead of the own clock says nothing about the time.
    expect(await nameOf(prove({ checkpoint }, member, endMs() - dayMs))).toBe('proven')
  })

  it('is one again by a renew entry behind its admission', async () => {
    const checkpoint = checkpointBy(network.logKey, endMs() + dayMs)
    const later = endMs() + 2 * dayMs
    const renewedBy = async (renew: Uint8Array) => await nameOf(prove({ checkpoint, renew }, member, endMs() + dayMs))
    expect(await renewedBy(renewOf(memberNumber, later))).toBe('proven')
    expect(await renewedBy(renewOf(memberNumber, endMs() - dayMs))).toBe('NotMemberError')
    expect(await renewedBy(renewOf(6, later))).toBe('NotMemberError')
    expect(await renewedBy(renewOf(memberNumber, later, replica.head.n + 1))).toBe('NotMemberError')
    expect(await renewedBy(renewOf(memberNumber, later, replica.head.n + 2, keyNumber(9)))).toBe('LogMismatchError')
    expect(await renewedBy(entryOf(admitOf(), replica.head.n + 2))).toBe('NotMemberError')
  })
})

describe('a history of the past', () => {
  it.each([
    [undefined, 'proven'],
    [0, 'proven'],
    [1, 'LogMismatchError']
  ])('for an invite of epoch %s is %s', async (invitedIn, outcome) => {
    const { keys } = await proveNetwork(helloWith(), maxDelegations)
    expect(keys.epoch).toBe(0)
    expect(await nameOf((async () => requireEpoch(keys, invitedIn))())).toBe(outcome)
  })
})

describe('a host that does not know its network', () => {
  const judge = async (host: DiscoveryHello, hello: Hello, dialled = true) =>
    await host.judge(hello, member.publicKey, { dialled })
  const hostWith = (init: { pin?: Uint8Array; invitedIn?: () => number }) =>
    new DiscoveryHello({ role: 'external', software: 'test', maxDelegations, clock: network.clock, ...init })

  it('listens to whom it has dialled, and to nobody else', async () => {
    const host = hostWith({})
    expect(await judge(host, helloWith(), false)).toMatchObject({ kind: 'stranger', status: statuses.UNAVAILABLE })
    expect(host.proven.size).toBe(0)
    expect(await judge(host, helloWith())).toMatchObject({ kind: 'member' })
    expect([...host.proven.values()].map(({ networkId }) => networkId)).toEqual([replica.networkId])
  })

  it('takes the pinned network from whoever shows it, and no other one', async () => {
    const { networkId } = replica
    expect(await judge(hostWith({ pin: networkId }), helloWith(), false)).toMatchObject({ kind: 'member' })
    const other = hostWith({ pin: otherNetworkId })
    expect(await judge(other, helloWith())).toMatchObject({ kind: 'stranger', status: statuses.WRONG_NETWORK })
    expect(other.proven.size).toBe(0)
  })

  it('forgets what others proved when it is told which network it is', async () => {
    const host = hostWith({})
    await judge(host, helloWith())
    host.setPin(otherNetworkId)
    expect([host.proven.size, host.local().networkId]).toEqual([0, otherNetworkId])
    host.setPin(replica.networkId)
    await judge(host, helloWith())
    expect(host.proven.size).toBe(1)
  })

  it('keeps the newest checkpoint that it was shown', async () => {
    const host = hostWith({})
    const times = [1_000, 3_000, 2_000].map((ms) => network.clock.now() + ms)
    for (const timeMs of times) await judge(host, helloWith({ checkpoint: checkpointBy(network.logKey, timeMs) }))
    expect([...host.proven.values()].map(({ checkpoint }) => checkpoint.value.timeMs)).toEqual([times[1]])
  })

  it('follows no history that is older than its invite', async () => {
    const host = hostWith({ invitedIn: () => 2 })
    expect(await judge(host, helloWith())).toMatchObject({ kind: 'stranger', status: statuses.INVALID })
    expect(host.proven.size).toBe(0)
  })

  it('tells a stranger why it is one, and never throws for what it sends', async () => {
    const host = hostWith({})
    expect(await judge(host, helloWith({ admit: new Uint8Array() }))).toMatchObject({ status: statuses.NOT_MEMBER })
    expect(await judge(host, helloWith({ genesis: Uint8Array.of(1) }))).toMatchObject({ status: statuses.INVALID })
    expect(await judge(host, Hello.decode(new Uint8Array()))).toMatchObject({ kind: 'stranger' })
  })
})
