import { toString as textOf } from 'uint8arrays/to-string'
import { describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { sealDelegation } from '../../../../src/registry/log/log-writer.ts'
import { sealRenewRequest } from '../../../../src/registry/objects/renew-request.ts'
import {
  InvalidEnvelopeError,
  InvalidPayloadError,
  NotMemberError,
  PendingError,
  RevokedError,
  WrongNetworkError
} from '../../../../src/runtime/errors.ts'
import { day, RealNetwork } from '../../../helpers/real-network.ts'

const hex = (bytes: Uint8Array | undefined): string => textOf(bytes ?? new Uint8Array(), 'base16')

const request = (network: RealNetwork, key: SigningKey, notAfterMs?: number): Uint8Array => {
  const { networkId, replica } = network.root
  const member = replica.state.member(key.publicKey)
  const fields = { networkId, publicKey: key.publicKey, notAfterMs: notAfterMs ?? member?.notAfterMs ?? 0 }
  return sealRenewRequest(fields, key).bytes
}

describe('a renewal', () => {
  it('lasts as long as a membership, from now on', async () => {
    await using network = await RealNetwork.create()
    const { admission, replica } = network.root
    const ann = await network.admit('ann')
    network.clock.advance(45 * day)
    const { entry } = await admission.renew(request(network, ann), ann.publicKey)
    const member = replica.state.member(ann.publicKey)
    expect(member?.notAfterMs).toBe(network.clock.now() + 90 * day)
    expect(hex(entry)).toBe(hex(member?.renew?.bytes))
  })

  it('is not entered while more than 60 % is left: the answer is the entry that stands', async () => {
    await using network = await RealNetwork.create()
    const { admission, replica } = network.root
    const ann = await network.admit('ann')
    const { n } = replica.head
    network.clock.advance(35 * day)
    const { entry } = await admission.renew(request(network, ann))
    expect(hex(entry)).toBe(hex(replica.state.member(ann.publicKey)?.admit.bytes))
    expect(replica.head.n).toBe(n)
  })

  it('goes to the root when the registry asked knows less of the log than the member does', async () => {
    await using network = await RealNetwork.create()
    const ann = await network.admit('ann')
    const secondary = await network.addSecondary('second')
    network.clock.advance(50 * day)
    await network.root.admission.renew(request(network, ann))
    const again = request(network, ann)
    network.clock.advance(50 * day)
    const { entry } = await secondary.admission.renew(again)
    expect(hex(entry)).toBe(hex(network.root.replica.state.member(ann.publicKey)?.renew?.bytes))
  })

  it('that waited and is refused by the root leaves the queue, and no joiner is told', async () => {
    await using network = await RealNetwork.create()
    const ann = await network.admit('ann')
    const secondary = await network.addSecondary('second')
    network.clock.advance(50 * day)
    secondary.admission.forward = undefined
    await expect(secondary.admission.renew(request(network, ann))).rejects.toThrow(PendingError)
    await network.root.admission.revoke(ann.publicKey, 'lost')
    const told: unknown[] = []
    secondary.events.addEventListener('rejected', ({ detail }) => told.push(detail))
    secondary.admission.forward = network.forward
    expect(await secondary.admission.replayQueue()).toBe(1)
    expect(secondary.admission.queued).toBe(0)
    expect(told).toEqual([])
  })

  it('is entered once, however often and however late the same request comes', async () => {
    await using network = await RealNetwork.create()
    const { admission, replica } = network.root
    const ann = await network.admit('ann')
    network.clock.advance(50 * day)
    const old = request(network, ann)
    const { n } = replica.head
    const [one, other] = await Promise.all([admission.renew(old), admission.renew(old)])
    expect(hex(one.entry)).toBe(hex(other.entry))
    network.clock.advance(80 * day)
    expect(hex((await admission.renew(old)).entry)).toBe(hex(one.entry))
    expect(replica.head.n).toBe(n + 1)
  })

  it('comes through when the root was away at the end of the membership', async () => {
    await using network = await RealNetwork.create()
    const { admission, replica } = network.root
    const ann = await network.admit('ann')
    network.clock.advance(100 * day)
    await admission.renew(request(network, ann))
    expect(replica.isMember(ann.publicKey)).toBe(true)
    network.clock.advance(121 * day)
    await expect(admission.renew(request(network, ann))).rejects.toThrow(NotMemberError)
  })

  it('is judged by the root alone, which knows how long nobody could renew anything', async () => {
    await using network = await RealNetwork.create()
    const ann = await network.admit('ann')
    const secondary = await network.addSecondary('second')
    const { root } = network.root
    await root?.checkpoint()
    network.clock.advance(200 * day)
    await root?.checkpoint()
    await network.sync(secondary)
    const { entry } = await secondary.admission.renew(request(network, ann))
    expect(hex(entry)).toBe(hex(network.root.replica.state.member(ann.publicKey)?.renew?.bytes))
  })

  it('is refused when it does not fit', async () => {
    await using network = await RealNetwork.create()
    await using foreign = await RealNetwork.create()
    const { admission } = network.root
    const ann = await network.admit('ann')
    const bob = await network.admit('bob')
    network.clock.advance(50 * day)
    const ofAnn = request(network, ann)
    await expect(admission.renew(ofAnn, bob.publicKey)).rejects.toThrow(InvalidEnvelopeError)
    await expect(admission.renew(request(network, ann, network.clock.now() + 91 * day))).rejects.toThrow(
      InvalidPayloadError
    )
    await expect(admission.renew(request(network, SigningKey.generate()))).rejects.toThrow(NotMemberError)
    await expect(admission.renew(request(foreign, ann))).rejects.toThrow(WrongNetworkError)
    await admission.revoke(ann.publicKey, 'stolen')
    await expect(admission.renew(ofAnn)).rejects.toThrow(RevokedError)
  })

  it('waits in the queue of a registry while the root is away, and is sent once', async () => {
    await using network = await RealNetwork.create()
    const ann = await network.admit('ann')
    const secondary = await network.addSecondary('sec')
    network.clock.advance(50 * day)
    secondary.admission.forward = undefined
    const asked = request(network, ann)
    await expect(secondary.admission.renew(asked)).rejects.toThrow(PendingError)
    await expect(secondary.admission.renew(asked)).rejects.toThrow(PendingError)
    expect(secondary.admission.queued).toBe(1)
    const { n } = network.root.replica.head
    secondary.admission.forward = network.forward
    expect(await secondary.admission.replayQueue()).toBe(1)
    expect(secondary.admission.queued).toBe(0)
    expect(network.root.replica.head.n).toBe(n + 1)
  })

  it('that a replaced root cannot judge goes to the new root: the member may know more of the log', async () => {
    await using network = await RealNetwork.create()
    const ann = await network.admit('ann')
    const { admission, replica } = network.root
    await replica.apply([sealDelegation(replica, network.authority, SigningKey.generate().publicKey).bytes])
    admission.forward = undefined
    const renewedMeanwhile = request(network, ann, network.clock.now() + 365 * day)
    await expect(admission.renew(renewedMeanwhile)).rejects.toThrow(PendingError)
    expect(admission.queued).toBe(1)
  })
})

describe('being forgotten', () => {
  it('ends the own membership, and is done when it was done before', async () => {
    await using network = await RealNetwork.create()
    const { admission, replica } = network.root
    const ann = await network.admit('ann')
    const asked = network.farewell(ann)
    await expect(admission.forget(asked, network.rootKey.publicKey)).rejects.toThrow(InvalidEnvelopeError)
    const { entry } = await admission.forget(asked, ann.publicKey)
    expect(entry.length).toBeGreaterThan(0)
    expect(replica.state.member(ann.publicKey)).toBeUndefined()
    expect(replica.state.isRevoked(ann.publicKey)).toBe(false)
    expect(await admission.forget(asked)).toEqual({ entry: new Uint8Array() })
  })

  it('reaches the root through another registry', async () => {
    await using network = await RealNetwork.create()
    const ann = await network.admit('ann')
    const secondary = await network.addSecondary('sec')
    const { replica } = network.root
    await secondary.admission.forget(network.farewell(ann))
    expect(replica.state.member(ann.publicKey)).toBeUndefined()
  })
})
