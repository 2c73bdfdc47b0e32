import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { peerIdText, SigningKey } from '../../../../src/identity/keys.ts'
import type { Alarm } from '../../../../src/registry/alarms.ts'
import { sealRevoke } from '../../../../src/registry/log/epochs/authority-revocations.ts'
import type { Registry } from '../../../../src/registry/registry.ts'
import { RealNetwork } from '../../../helpers/real-network.ts'

const graceMs = 120_000

let network: RealNetwork
let reader: Registry

beforeEach(async () => {
  network = await RealNetwork.create()
  onTestFinished(() => network[Symbol.asyncDispose]())
  reader = await network.openReplica('reader', await network.admit('reader'))
})

const revokeByAuthority = async ({ publicKey }: SigningKey): Promise<Uint8Array> => {
  const { networkId, replica } = reader
  const position = { networkId, head: replica.head, nowMs: network.clock.now() }
  const { bytes } = sealRevoke(position, network.authority, { publicKey, reason: 'stolen' })
  expect(await replica.authorityRevocations.enforce(bytes)).toBe(true)
  return bytes
}

/** The root signs its log after so much of its time, and the reader hears of it. */
const signAfter = async (ms: number): Promise<void> => {
  network.clock.advance(ms)
  await network.root.root?.checkpoint()
  await network.sync(reader)
}

const alarm = (): Alarm | undefined => reader.alarms.list().find(({ code }) => code === 'revoke_missing')

describe('a revoke of the authority that the root does not enter', () => {
  it('is an alarm that names both once the root has signed for two minutes without it', async () => {
    const ann = await network.admit('ann')
    await network.sync(reader)
    await revokeByAuthority(ann)
    await signAfter(1_000)
    await signAfter(graceMs - 1)
    expect(alarm()).toBeUndefined()
    await signAfter(1)
    const peer = peerIdText(ann.publicKey)
    expect(alarm()).toMatchObject({ fields: { peer, root: peerIdText(network.rootKey.publicKey) }, times: 1 })
    expect(alarm()?.message).toMatch(
      `root has signed the log for 120 s without entering that the authority revoked ${peer}`
    )
    await signAfter(60_000)
    expect(alarm()).toMatchObject({ message: expect.stringContaining('for 180 s'), times: 2 })
  })

  it('is none while the root is silent, however long: it may not be there', async () => {
    await revokeByAuthority(await network.admit('ann'))
    await signAfter(1_000)
    network.clock.advance(100 * graceMs)
    await network.sync(reader)
    expect(alarm()).toBeUndefined()
  })

  it('is none where the root enters it in time, and the next one has its own two minutes', async () => {
    const [ann, ben] = [await network.admit('ann'), await network.admit('ben')]
    await network.sync(reader)
    const bytes = await revokeByAuthority(ann)
    await signAfter(graceMs - 1)
    await network.root.replica.authorityRevocations.enforce(bytes)
    await network.root.root?.reissueRevokes()
    await signAfter(graceMs)
    await revokeByAuthority(ben)
    await signAfter(1)
    await signAfter(graceMs - 1)
    expect(alarm()).toBeUndefined()
  })

  it('is an alarm also of a key that was never a member', async () => {
    const stranger = SigningKey.generate()
    await revokeByAuthority(stranger)
    await signAfter(1)
    await signAfter(graceMs)
    expect(alarm()).toMatchObject({ fields: { peer: peerIdText(stranger.publicKey) } })
  })
})
