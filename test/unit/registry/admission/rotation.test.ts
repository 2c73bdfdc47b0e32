import { equals } from 'uint8arrays/equals'
import { describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { rotations } from '../../../../src/registry/admission/limits.ts'
import { sealRotateRequest } from '../../../../src/registry/objects/rotate.ts'
import {
  InvalidEnvelopeError,
  InvalidPayloadError,
  LimitError,
  LogMismatchError,
  NotMemberError,
  PendingError,
  RevokedError
} from '../../../../src/runtime/errors.ts'
import { RealNetwork } from '../../../helpers/real-network.ts'

describe('a rotation', () => {
  it('gives the place of a member to another key, once, and answers the same request with the same entry', async () => {
    await using network = await RealNetwork.create()
    const { admission, replica } = network.root
    const ann = await network.admit('ann')
    const next = SigningKey.generate()
    const proofs = network.rotation(ann, next)
    const { entry } = await admission.rotate(proofs, ann.publicKey)
    expect(replica.state.member(next.publicKey)).toMatchObject({ name: 'ann', role: 'integrated' })
    expect([replica.state.member(ann.publicKey), replica.state.isRevoked(ann.publicKey)]).toEqual([undefined, true])
    const { n } = replica.head
    expect(equals((await admission.rotate(proofs)).entry, entry)).toBe(true)
    expect(replica.head.n).toBe(n)
    // The old key is void for ever, and nobody takes it as a new one.
    await expect(admission.rotate(network.rotation(ann, SigningKey.generate()))).rejects.toThrow(RevokedError)
    await expect(admission.rotate(network.rotation(next, ann))).rejects.toThrow(RevokedError)
  })

  it('is refused to another signer, for the key of a member, to no member, and with proofs of two requests', async () => {
    await using network = await RealNetwork.create()
    const { admission, networkId, replica } = network.root
    const [ann, bob, next] = [await network.admit('ann'), await network.admit('bob'), SigningKey.generate()]
    const proofs = network.rotation(ann, next)
    const { n } = replica.head
    await expect(admission.rotate(proofs, bob.publicKey)).rejects.toThrow(InvalidEnvelopeError)
    await expect(admission.rotate(network.rotation(ann, bob))).rejects.toThrow(LogMismatchError)
    await expect(admission.rotate(network.rotation(next, SigningKey.generate()))).rejects.toThrow(NotMemberError)
    const other = sealRotateRequest({ networkId, oldKey: bob.publicKey, newKey: next.publicKey }, next).bytes
    await expect(admission.rotate({ ...proofs, proofNew: other })).rejects.toThrow(InvalidPayloadError)
    await expect(admission.rotate({ ...proofs, proofNew: proofs.proofOld })).rejects.toThrow(InvalidEnvelopeError)
    expect(replica.head.n).toBe(n)
  })

  it('is refused to a member that has changed its key so often within a day, not to another, and not on the next day', async () => {
    await using network = await RealNetwork.create()
    const { admission } = network.root
    const ann = await network.admit('ann')
    const change = async (from: SigningKey): Promise<SigningKey> => {
      const to = SigningKey.generate()
      await admission.rotate(network.rotation(from, to))
      return to
    }
    let key = ann
    for (let made = 0; made < rotations.count; made++) key = await change(key)
    await expect(change(key)).rejects.toThrow(LimitError)
    await change(await network.admit('bob'))
    network.clock.advance(rotations.perMs)
    key = await change(key)
    await change(key)
  })

  it('waits at a secondary while the root is away, and is decided when it is back', async () => {
    await using network = await RealNetwork.create()
    const ann = await network.admit('ann')
    const secondary = await network.addSecondary('second')
    const next = SigningKey.generate()
    secondary.admission.forward = undefined
    await expect(secondary.admission.rotate(network.rotation(ann, next))).rejects.toThrow(PendingError)
    expect(secondary.admission.queued).toBe(1)
    secondary.admission.forward = network.forward
    expect(await secondary.admission.replayQueue()).toBe(1)
    expect(network.root.replica.state.member(next.publicKey)?.name).toBe('ann')
  })
})
