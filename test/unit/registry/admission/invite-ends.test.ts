import { describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { Invites } from '../../../../src/registry/admission/invites.ts'
import type { EntryDraft } from '../../../../src/registry/log/log-writer.ts'
import { newGrantId } from '../../../../src/registry/objects/grant.ts'
import { silentLogger } from '../../../../src/runtime/clock-and-logger.ts'
import { InviteInvalidError, InviteUsedError } from '../../../../src/runtime/errors.ts'
import { LogNetwork } from '../../../helpers/log-network.ts'
import { ordered } from '../../../helpers/operator-orders.ts'
import { day, RealNetwork } from '../../../helpers/real-network.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('an invite that the operator took back', () => {
  it.each([
    ['sent to the wrong person', 'the operator took the invite back (sent to the wrong person)'],
    ['', 'the operator took the invite back: ask for a new one']
  ])('with the reason %j tells a joiner so', async (reason, answer) => {
    await using network = await RealNetwork.create()
    const { admission } = network.root
    const invite = await network.invite()
    await admission.cancelInvite(hex(invite.grant.id), reason)
    const joined = admission.join(network.wish({ name: 'ann', invite }))
    await expect(joined).rejects.toThrow(InviteInvalidError)
    await expect(joined).rejects.toThrow(answer)
  })
})

it('the entry that took an invite back is found by the beginning of its id, the newest of several', async () => {
  await using network = await RealNetwork.create()
  const { admission, replica } = network.root
  const { invites, orders } = admission
  const invite = await network.invite()
  const id = hex(invite.grant.id)
  expect(invites.takenBack(id)).toBeUndefined()
  await admission.cancelInvite(id, 'lost')
  expect(invites.takenBack(id.slice(0, 6).toUpperCase())).toMatchObject({ n: replica.head.n, body: { reason: 'lost' } })
  expect([invites.takenBack(''), invites.takenBack('zz')]).toEqual([undefined, undefined])

  const operator = (name: string, publicKey: Uint8Array, removed: boolean): EntryDraft => ({
    kind: 'operator',
    body: { publicKey, name, removed }
  })
  const ann = SigningKey.generate()
  const bob = SigningKey.generate().publicKey
  await network.root.root?.append([operator('ann', ann.publicKey, false)])
  for (const removed of [false, true]) {
    expect(orders.operators.removal('bob')).toBeUndefined()
    await orders.submit([ordered(network, ann, operator('bob', bob, removed))], network.rootKey.publicKey)
  }
  expect(orders.operators.removal('bob')?.n).toBe(replica.head.n)
})

describe('invites that are over', () => {
  it('are cleared away a hundred at once, once a minute, and not while the root may append nothing', async () => {
    const network = new LogNetwork()
    const { replica, root } = await network.start()
    const { clock } = network
    const invites = new Invites({ replica, clock, logger: silentLogger })
    await root.append(Array.from({ length: 105 }, (_, i) => network.grant(i, { notAfterMs: clock.nowMs + 1_000 })))
    const open = async (): Promise<number> => {
      await invites.clearExpired(root)
      return invites.list().length
    }
    expect(await open()).toBe(105)
    clock.nowMs += 2 * day
    root.fence('others may hold more of the log')
    expect(await open()).toBe(105)
    root.release()
    expect([await open(), await open()]).toEqual([5, 5])
    clock.nowMs += 60_000
    expect(await open()).toBe(0)
  })

  it('are remembered for joiners that come late, the last 10,000 of them', async () => {
    await using network = await RealNetwork.create()
    const { replica } = network.root
    const invites = new Invites({ replica, clock: network.clock, logger: silentLogger })
    const entry = replica.state.memberByName('root')?.admit
    if (entry === undefined) throw new Error('no founder')
    const ids = Array.from({ length: 10_001 }, newGrantId)
    const entries = ids.map((id) => ({
      ...entry,
      value: { ...entry.value, kind: 'grantEnd' as const, body: { id, reason: 'a party is over' } }
    }))
    replica.events.safeDispatchEvent('entries', { detail: { entries } })
    const [first, second] = ids
    expect(first && invites.ended(first).message).toContain('the log knows no such invite')
    expect(second && invites.ended(second).message).toContain('(a party is over)')
    expect(invites.ended(newGrantId())).not.toBeInstanceOf(InviteUsedError)
  })
})
