import { expect } from 'vitest'
import { SigningKey } from '../../../src/identity/keys.ts'
import { defaultLimits } from '../../../src/protocols/engine/limits.ts'
import { openRegisterSession, register, registryBackend } from '../../../src/protocols/register/index.ts'
import { rotations } from '../../../src/registry/admission/limits.ts'
import { sealRotation } from '../../../src/registry/objects/rotate.ts'
import { type Members, startMember } from '../../helpers/hosts/members.ts'
import { connect } from '../../helpers/hosts.ts'
import { RealNetwork } from '../../helpers/real-network.ts'
import { attack, control } from '../attack.ts'

const tries = rotations.count + 3

/** A member gives its place to one new key after the other, each on a connection of its own; `passes`: time between two of them. */
async function rotateWithoutEnd(passes: number): Promise<{ entered: number; refused: string[]; bytes: number }> {
  await using network = await RealNetwork.create()
  const { root: registry, clock } = network
  const { networkId, replica } = registry
  const members: Members = new Map()
  const limits = defaultLimits
  await using root = await startMember<{ register: unknown }>({
    members,
    role: 'root',
    key: network.rootKey,
    services: ({ trust }) => ({
      register: register({
        backend: registryBackend(registry),
        trust,
        limits,
        silentMs: 90_000,
        onCheckpoint: () => {}
      })
    })
  })
  let key = await network.admit('eve')
  const { n } = replica.head
  const refused: string[] = []
  for (let tried = 0; tried < tries; tried++) {
    const next = SigningKey.generate()
    await using member = await startMember({ members, key, services: () => ({}) })
    const session = await openRegisterSession(await connect(member.host, root.host), { limits })
    try {
      await session.rotate(sealRotation(networkId, key, next))
      key = next
    } catch (error) {
      refused.push(error instanceof Error ? error.name : String(error))
    }
    clock.advance(passes)
  }
  const bytes = replica.read(n, 2 ** 24).reduce((sum, { envelope }) => sum + envelope.length, 0)
  return { entered: replica.head.n - n, refused, bytes }
}

attack(
  'a member changes its key without end, to fill the log and to begin anew with what is counted for a key',
  async () => {
    const { entered, refused, bytes } = await rotateWithoutEnd(0)
    expect(entered).toBe(rotations.count)
    expect(new Set(refused)).toEqual(new Set(['RateLimitedError']))
    return {
      happened: `${tries} rotations by as many keys: ${entered} entries of ${bytes} bytes, the others RATE_LIMITED`,
      held: `${rotations.count} new keys of a member within a day, counted along the log`
    }
  }
)

control('one that changes its key on each day goes on with each', async () => {
  const { entered, refused } = await rotateWithoutEnd(rotations.perMs)
  expect([entered, refused]).toEqual([tries, []])
})
