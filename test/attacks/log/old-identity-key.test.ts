import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { SigningKey } from '../../../src/identity/keys.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { sealForgetRequest } from '../../../src/registry/objects/forget-request.ts'
import { sealRecord } from '../../../src/registry/objects/record.ts'
import { sealRenewRequest } from '../../../src/registry/objects/renew-request.ts'
import { sealRotation } from '../../../src/registry/objects/rotate.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { attack, control } from '../attack.ts'

/** A network with two members; somebody has copied the key and the store of one of them. */
async function stolen(network: TestNetwork) {
  const [before, bob] = [await network.join('hal'), await network.join('bob')]
  await before.stop()
  const copy = join(network.folder, 'stolen')
  cpSync(before.config.paths.data, copy, { recursive: true })
  return { hal: await network.join('hal'), bob, key: before.key, copy }
}

const nameOf = async (attempt: Promise<unknown>): Promise<string> =>
  await attempt.then(
    () => 'taken',
    (error: Error) => error.name
  )

/** What whoever has the key asks a registry for, each through a session that is not its own: a member helps. */
async function asked(at: TrustNode, key: SigningKey): Promise<string[]> {
  const { admission, records, networkId, replica } = at.registry
  const { publicKey } = key
  const membership = replica.state.revoked(publicKey)?.hash ?? new Uint8Array(32)
  const record = sealRecord(
    {
      networkId,
      publicKey,
      addrs: ['/ip6/2001:db8::66/tcp/9000'],
      reach: 'unknown',
      services: [],
      tags: [],
      left: false,
      seq: 1_000_000,
      roles: ['integrated'],
      software: 'thief',
      issuedMs: Date.now()
    },
    key
  )
  const attempts = [
    admission.renew(sealRenewRequest({ networkId, publicKey, notAfterMs: Date.now() + 9e9 }, key).bytes),
    admission.rotate(sealRotation(networkId, key, SigningKey.generate())),
    records.put(record.bytes, { source: 'gossip' })
  ]
  const before = replica.head.n
  const outcomes = await Promise.all(attempts.map(nameOf))
  await admission.forget(sealForgetRequest({ networkId, publicKey, membership }, key).bytes).catch(() => {})
  return [...outcomes, `${replica.head.n - before} entries`]
}

describe('the key that a node had before identity rotate', () => {
  attack('is used by a thief with a copy of key and store, alone and with a member that helps', async () => {
    await using network = await TestNetwork.create()
    const { hal, bob, key, copy } = await stolen(network)
    await hal.control.rotateIdentity()
    const root = network.node('root')
    await eventually(() => bob.registry.replica.state.isRevoked(key.publicKey))
    const peers = [network.address('root'), network.address('bob')]
    const thief = network.make('thief', { 'paths.data': copy, 'bootstrap.peers': peers })
    await thief.start()
    await eventually(async () => (await thief.control.status()).word === 'refused')
    const outcomes = [await asked(root, key), await asked(bob, key)]
    for (const each of outcomes) expect(each).toEqual(['RevokedError', 'RevokedError', each[2], '0 entries'])
    expect(outcomes.map(([, , put]) => put)).not.toContain('taken')
    const names = [...root.attached.trust.members()].map(({ member }) => member.name)
    expect([thief.attached.session, names.includes('thief')]).toEqual([undefined, false])
    expect(root.registry.replica.state.memberByName('hal')?.publicKey).toEqual(hal.key.publicKey)
    expect(hal.attached.session).toBeDefined()
    return {
      happened: `a node with the old key and store got no session in two registries; renewal, second rotation and record by that key: ${outcomes.flat().slice(0, 3).join(', ')}; ${outcomes[0]?.[3]}`,
      held: 'the rotate entry shuts the old key out for ever, everywhere'
    }
  })

  control('does all of it before the rotation', async () => {
    await using network = await TestNetwork.create()
    const { hal, key, copy } = await stolen(network)
    await hal.stop()
    const peers = [network.address('root')]
    const thief = network.make('thief', { 'paths.data': copy, 'bootstrap.peers': peers })
    await thief.start()
    await eventually(() => thief.attached.session !== undefined)
    const [, rotated] = await asked(network.node('root'), key)
    expect(rotated).toBe('taken')
  })
})
