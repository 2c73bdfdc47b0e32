import type { Libp2p } from '@libp2p/interface'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { ConnectionTrust } from '../../../../src/protocols/engine/trust/connection-trust.ts'
import { openRegisterSession, register, registryBackend } from '../../../../src/protocols/register/index.ts'
import type { IssuedInvite } from '../../../../src/registry/admission/invites.ts'
import { newGrantId } from '../../../../src/registry/objects/grant.ts'
import { sealRecord } from '../../../../src/registry/objects/record.ts'
import { failure, instance } from '../../../helpers/hosts/sessions.ts'
import { connect, startHost, startPlainHost, withoutSockets } from '../../../helpers/hosts.ts'
import { RealNetwork } from '../../../helpers/real-network.ts'
import { aRecord } from '../../../helpers/signed-objects.ts'

withoutSockets()

// So that one refusal does not hide the next: who guesses is limited elsewhere.
const limits = limitsWith({ register: { failedProofs: { count: 100, perMs: 1_000 } } })
const hosts: Libp2p[] = []
let network: RealNetwork
let root: Libp2p

beforeEach(async () => {
  network = await RealNetwork.create()
  const trust = new ConnectionTrust({ limits: limits.strangers, settleMs: 100 })
  const service = register({ backend: registryBackend(network.root), trust, limits, silentMs: 90_000 })
  root = await startHost({ register: service }, { privateKey: network.rootKey.toLibp2p() })
  hosts.push(root)
})
afterEach(async () => {
  await Promise.all(hosts.splice(0).map(async (host) => host.stop()))
  await network[Symbol.asyncDispose]()
})

interface Attempt {
  key: SigningKey
  name: string
  invite?: IssuedInvite
}

/** A machine that asks to join over a session of its own. */
async function join({ key, name, invite }: Attempt): Promise<unknown> {
  const host = await startPlainHost({ privateKey: key.toLibp2p() })
  hosts.push(host)
  const session = await openRegisterSession(await connect(host, root), { limits })
  const { networkId } = network.root
  const record = sealRecord({ ...aRecord, networkId, publicKey: key.publicKey, seq: 1 }, key).bytes
  const wish = network.wish({ key, name, ...(invite && { invite }) })
  return session.register({ record, instance: instance(), ...wish })
}

const nameOf = async (attempt: Attempt): Promise<string> => {
  const error = await failure(join(attempt))
  return error instanceof Error ? error.name : 'let in'
}

const some = (name: string, invite?: IssuedInvite): Attempt => ({
  key: SigningKey.generate(),
  name,
  ...(invite && { invite })
})

/** An invite that looks like one of the root, which its log does not know. */
async function forged(): Promise<IssuedInvite> {
  const { grant, inviteKey } = await network.invite()
  return { inviteKey, grant: { ...grant, id: newGrantId() } }
}

describe('a machine that asks to join', () => {
  it('is told by a status of its own what is wrong with its invite, and the right one still lets it in', async () => {
    const invite = await network.invite()
    await join(some('first', invite))
    expect(await nameOf(some('second', invite))).toBe('InviteUsedError')
    expect(await nameOf(some('third', await forged()))).toBe('InviteInvalidError')
    const late = await network.invite({ ttlMs: 60_000 })
    const good = await network.invite({ ttlMs: 86_400_000 })
    network.clock.advance(3_600_000)
    expect(await nameOf(some('fifth', late))).toBe('InviteExpiredError')
    expect(await nameOf(some('first', good))).toBe('NameTakenError')
    expect(await nameOf(some('sixth'))).toBe('PendingError')
    expect(await nameOf(some('seventh', good))).toBe('let in')
    expect(network.root.replica.state.memberCount).toBe(3)
  })

  it('cannot use what it overheard: the join of another key, or a grant without its secret', async () => {
    const invite = await network.invite()
    const { grant } = invite
    expect(await nameOf({ ...some('thief'), invite: { grant, inviteKey: SigningKey.generate() } })).toMatch(
      /Invite|Payload/
    )
    expect(await nameOf(some('owner', invite))).toBe('let in')
  })

  it('is told that its key was revoked, whatever invite it has', async () => {
    const outcast = some('outcast', await network.invite())
    await join(outcast)
    await network.root.admission.revoke(outcast.key.publicKey, 'stolen')
    expect(await nameOf({ ...outcast, invite: await network.invite() })).toBe('RevokedError')
  })
})
