import { expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { NameTakenError, PendingError } from '../../../../src/runtime/errors.ts'
import { RealNetwork } from '../../../helpers/real-network.ts'

const waits = async (network: RealNetwork, name: string): Promise<void> => {
  const join = network.root.admission.join(network.wish({ key: SigningKey.generate(), name }))
  await expect(join).rejects.toThrow(PendingError)
}

it('a join that waits under the name of a revoked member takes no place of others when the policy opens', async () => {
  const limits = { openJoins: { count: 2, perMs: 60_000 } }
  await using network = await RealNetwork.create({ admission: 'approve' }, { limits })
  const { admission } = network.root
  await admission.revoke((await network.admit('hal')).publicKey, 'lost')
  for (const name of ['hal', 'hal', 'hal', 'ann']) {
    await waits(network, name)
    network.clock.advance(1)
  }
  await admission.changePolicy({ admission: 'open' })
  expect(await admission.letInWaiting()).toBe(1)
  for (let look = 0; look < 3; look++) expect(await admission.letInWaiting()).toBe(0)
  for (let ask = 0; ask < 3; ask++) {
    await expect(admission.join(network.wish({ name: 'hal' }))).rejects.toThrow(NameTakenError)
  }
  await admission.join(network.wish({ name: 'bob' }))
  expect(admission.pending().map(({ name }) => name)).toEqual(['hal', 'hal', 'hal'])
})

it('who was told to wait while the network was open waits for the operator, also when there is room', async () => {
  await using network = await RealNetwork.create({ admission: 'open' }, { limits: { openMembers: 2 } })
  const { admission } = network.root
  const ann = SigningKey.generate()
  await admission.join(network.wish({ key: ann, name: 'ann' }))
  await waits(network, 'bob')
  await admission.revoke(ann.publicKey, 'lost')
  network.clock.advance(1)
  expect(await admission.letInWaiting()).toBe(0)
  expect(admission.pending().map(({ name }) => name)).toEqual(['bob'])
  await admission.changePolicy({ admission: 'approve' })
  expect(await admission.letInWaiting()).toBe(0)
  await admission.changePolicy({ admission: 'open' })
  expect(await admission.letInWaiting()).toBe(1)
})
