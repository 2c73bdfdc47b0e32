import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { sealRevoke } from '../../../../src/registry/log/epochs/authority-revocations.ts'
import { sealRotateRequest } from '../../../../src/registry/objects/rotate.ts'
import { unwatchStore, watchStore } from '../../../helpers/faults/store-faults.ts'
import { day, RealNetwork, recordBy } from '../../../helpers/real-network.ts'

let network: RealNetwork
/** Events of the root, in their order. */
let told: string[]
let lola: SigningKey

beforeEach(async () => {
  network = await RealNetwork.create()
  lola = await network.admit('lola')
  told = []
  const { events } = network.root
  events.addEventListener('admitted', ({ detail }) => told.push(`admitted ${nameOf(detail.publicKey)}`))
  events.addEventListener('ended', ({ detail }) => told.push(`ended ${nameOf(detail.publicKey)}`))
})

afterEach(async () => await network[Symbol.asyncDispose]())

const nameOf = (publicKey: Uint8Array): string =>
  network.root.replica.state.member(publicKey)?.name ?? 'a former member'
const namesOfRole = (role: 'integrated' | 'external' | 'secondary'): string[] =>
  network.root.lookup({ role }).rows.map(({ name }) => name)
const namesLike = (name: string): string[] => network.root.namesLike(name)
const put = (key: SigningKey): Promise<unknown> => network.root.records.put(recordBy(network.root, key, 1))

describe('the end of a membership', () => {
  it.each([
    ['a revoke', () => network.root.admission.revoke(lola.publicKey, 'lost')],
    ['an end', () => network.root.admission.members.end(lola.publicKey, 'let go')],
    [
      'a revoke of the authority, which no entry says',
      () => network.root.replica.authorityRevocations.enforce(byAuthority(lola))
    ]
  ])('by %s takes its record and its place in every list along', async (_how, end) => {
    const { liveness, records } = network.root
    await put(lola)
    liveness.open(lola.publicKey, new Uint8Array(16))
    expect(namesLike('l0la')).toEqual(['lola'])
    await end()
    expect(told).toEqual([expect.stringMatching(/^ended/)])
    await expect.poll(() => records.get(lola.publicKey)).toBeUndefined()
    expect(network.root.lookup({}).rows.map(({ name }) => name)).toEqual(['root'])
    expect(namesOfRole('integrated')).toEqual([])
    expect(network.root.lookup({ role: 'integrated' }).looked).toBe(0)
    expect(namesLike('l0la')).toEqual([])
    expect(liveness.view(lola.publicKey).state).toBe('unknown')
  })

  it('by time takes its record along at a checkpoint, looked for once a minute', async () => {
    const { records, root } = network.root
    await put(lola)
    network.clock.advance(91 * day)
    await root?.checkpoint()
    await expect.poll(() => records.get(lola.publicKey)).toBeUndefined()
    expect(told).toEqual([])
  })

  it('holds although the store cannot delete its record', async () => {
    const path = network.path('root')
    await put(lola)
    watchStore(path, ({ sql, execute }) => {
      if (/DELETE FROM records/.test(sql)) throw new Error('the disk fails')
      return execute()
    })
    try {
      await network.root.admission.revoke(lola.publicKey, 'lost')
    } finally {
      unwatchStore(path)
    }
    expect(told).toEqual(['ended a former member'])
    expect(network.root.lookup({}).rows.map(({ name }) => name)).toEqual(['root'])
  })

  it('that is followed by a new admission in the same batch ends its record alone', async () => {
    const secondary = await network.addSecondary('s')
    await network.sync(secondary)
    await secondary.records.put(recordBy(network.root, lola, 1))
    const ended: Uint8Array[] = []
    secondary.events.addEventListener('ended', ({ detail }) => ended.push(detail.publicKey))
    await network.root.admission.members.end(lola.publicKey, 'let go')
    await network.admit('lola', lola)
    await network.sync(secondary)
    await expect.poll(() => secondary.records.get(lola.publicKey)).toBeUndefined()
    expect(ended).toEqual([])
    expect(secondary.lookup({ name: 'lola' }).rows).toHaveLength(1)
  })
})

describe('a member that changes', () => {
  it('is found under its new role and name, and under the old ones no more', async () => {
    const { admission } = network.root
    expect(namesLike('l0la')).toEqual(['lola'])
    await admission.members.change(lola.publicKey, { name: 'bob', role: 'external' })
    expect([namesOfRole('integrated'), namesOfRole('external')]).toEqual([[], ['bob']])
    expect([namesLike('l0la'), namesLike('b0b')]).toEqual([[], ['bob']])
    expect(network.root.lookup({ name: 'lola' }).rows).toEqual([])
    expect(told).toEqual([])
  })

  it('that goes on with another key ends as the one and begins as the other', async () => {
    const { admission, networkId } = network.root
    const next = SigningKey.generate()
    const request = { networkId, oldKey: lola.publicKey, newKey: next.publicKey }
    await admission.rotate({
      proofOld: sealRotateRequest(request, lola).bytes,
      proofNew: sealRotateRequest(request, next).bytes
    })
    expect(told).toEqual(['ended a former member', 'admitted lola'])
    expect(network.root.lookup({ name: 'lola' }).rows.map(({ publicKey }) => publicKey)).toEqual([next.publicKey])
  })
})

it('a key that the authority has shut out is nobody’s news when the root admits it all the same', async () => {
  const secondary = await network.addSecondary('s')
  const key = SigningKey.generate()
  await secondary.replica.authorityRevocations.enforce(byAuthority(key))
  const admitted: Uint8Array[] = []
  secondary.events.addEventListener('admitted', ({ detail }) => admitted.push(detail.publicKey))
  await network.admit('late', key)
  await network.sync(secondary)
  expect(admitted).toEqual([])
  expect(secondary.lookup({ name: 'late' }).rows).toEqual([])
})

it('a log that comes as a snapshot tells who came and who went since, and nothing the first time', async () => {
  const { replica } = network.root
  const secondary = await network.addSecondary('s')
  const events: string[] = []
  secondary.events.addEventListener('admitted', () => events.push('admitted'))
  secondary.events.addEventListener('ended', () => events.push('ended'))
  await secondary.records.put(recordBy(network.root, lola, 1))
  await network.admit('bob')
  await network.root.admission.revoke(lola.publicKey, 'lost')
  const live = replica.readLive(-1, 2 ** 24, replica.checkpoint?.value.n ?? 0).map(({ envelope }) => envelope)
  expect(await secondary.replica.stage(live, replica.checkpoint?.bytes)).toMatchObject({ done: true })
  expect(events).toEqual(['ended', 'admitted'])
  await expect.poll(() => secondary.records.get(lola.publicKey)).toBeUndefined()
  expect(secondary.namesLike('b0b')).toEqual(['bob'])
})

function byAuthority({ publicKey }: SigningKey): Uint8Array {
  const { networkId, replica } = network.root
  const place = { networkId, head: replica.head, nowMs: network.clock.now() }
  return sealRevoke(place, network.authority, { publicKey, reason: 'stolen' }).bytes
}
