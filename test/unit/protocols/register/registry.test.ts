import { randomBytes } from 'node:crypto'
import { join as joinPath } from 'node:path'
import type { Libp2p } from '@libp2p/interface'
import { afterEach, describe, expect, it } from 'vitest'
import { sha256 } from '../../../../src/identity/hash.ts'
import { SigningKey } from '../../../../src/identity/keys.ts'
import type { Role } from '../../../../src/identity/role.ts'
import { limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { ConnectionTrust } from '../../../../src/protocols/engine/trust/connection-trust.ts'
import { hello, registryHello } from '../../../../src/protocols/hello/index.ts'
import { openRegisterSession, register, registryBackend } from '../../../../src/protocols/register/index.ts'
import { createNetwork } from '../../../../src/registry/create-network.ts'
import { makeJoin } from '../../../../src/registry/objects/join.ts'
import { openRegistry, type Registry } from '../../../../src/registry/registry.ts'
import { failure } from '../../../helpers/hosts/sessions.ts'
import { connect, startHost, startPlainHost, withoutSockets } from '../../../helpers/hosts.ts'
import { recordBy } from '../../../helpers/real-network.ts'
import { tempFolder } from '../../../helpers/temp.ts'

withoutSockets()

const limits = limitsWith()
const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop()
})

/** A registry with its own store and host, as a node has them. */
async function start(key: SigningKey, role: Role, genesis: Uint8Array, path: string, logKey?: SigningKey) {
  const registry = await openRegistry({ path, role, nodeKey: key, genesis, ...(logKey && { root: { logKey } }) })
  stops.push(() => registry.close())
  const trust = new ConnectionTrust({ limits: limits.strangers, settleMs: limits.hello.settleMs })
  const source = registryHello(registry, { publicKey: key.publicKey, software: 'test', maxDelegations: 8 })
  const services = {
    hello: hello({ source, trust, limits }),
    register: register({ backend: registryBackend(registry), trust, limits, silentMs: 90_000 })
  }
  const host = await startHost(services, { privateKey: key.toLibp2p() })
  stops.push(async () => host.stop())
  return { key, registry, trust, host }
}

async function network() {
  const temp = tempFolder()
  stops.push(async () => temp[Symbol.dispose]())
  const folder = temp.path
  const [key, logKey, authority] = [SigningKey.generate(), SigningKey.generate(), SigningKey.generate()]
  const path = joinPath(folder, 'root.db')
  const genesis = await createNetwork({
    path,
    domain: 'example.org',
    name: 'Example',
    policy: { admission: 'invite', membershipMs: 86_400_000, documentBytes: 2 ** 20 },
    authority,
    nextAuthorityDigest: sha256(SigningKey.generate().publicKey),
    founder: { key, name: 'root', logKey }
  })
  const root = await start(key, 'root', genesis.bytes, path, logKey)
  return { root, genesis, folder }
}

const hex = (bytes: Uint8Array = new Uint8Array()) => Buffer.from(bytes).toString('hex')

const entriesOf = (registry: Registry) => registry.replica.read(0, 1_000_000).map(({ envelope }) => envelope)

async function joinCall(root: Registry, key: SigningKey, name: string, role: Role = 'integrated') {
  const { grant, inviteKey } = await root.admission.invite({ role })
  const { networkId } = root
  const join = makeJoin({ networkId, key, name, role, grant, inviteKey, timeMs: Date.now() })
  return { record: recordBy(root, key, 1), instance: randomBytes(16), join }
}

async function networkWithSecondary() {
  const { root, genesis, folder } = await network()
  const key = SigningKey.generate()
  await root.registry.admission.join(await joinCall(root.registry, key, 'second', 'secondary'))
  const secondary = await start(key, 'secondary', genesis.bytes, joinPath(folder, 'second.db'))
  await secondary.registry.replica.apply(entriesOf(root.registry), root.registry.replica.checkpoint?.bytes)
  return { root, secondary }
}

async function sessionOf(key: SigningKey, host: Libp2p) {
  const own = await startPlainHost({ privateKey: key.toLibp2p() })
  stops.push(async () => own.stop())
  return openRegisterSession(await connect(own, host), { limits })
}

describe('register over real registries', () => {
  it('lets a machine with an invite in at the root, once', async () => {
    const { root } = await network()
    const key = SigningKey.generate()
    const session = await sessionOf(key, root.host)
    const call = await joinCall(root.registry, key, 'alpha')
    const answer = await session.register(call)
    expect(hex(root.registry.replica.state.memberByName('alpha')?.publicKey)).toBe(hex(key.publicKey))
    expect(hex(answer.admit)).toBe(hex(root.registry.replica.state.member(key.publicKey)?.admit.bytes))
    expect(answer.registries).toEqual([])
    expect(root.registry.liveness.view(key.publicKey).state).toBe('online')
    const other = SigningKey.generate()
    const stolen = await sessionOf(other, root.host)
    expect(await failure(stolen.register({ ...call, record: recordBy(root.registry, other, 1) }))).toMatchObject({
      name: 'InvalidPayloadError'
    })
  })

  it('lets a machine in through a secondary, which asks the root over its own session', async () => {
    const { root, secondary } = await networkWithSecondary()

    const proven = new Promise((resolve) => {
      root.host.services.hello.events.addEventListener('proven', resolve, { once: true })
    })
    const up = await openRegisterSession(await connect(secondary.host, root.host), { limits })
    await proven
    secondary.registry.admission.forward = async (request) => {
      if (request.kind === 'rotate') return { entry: await up.rotate(request) }
      if (request.kind !== 'join') return { entry: await up[request.kind](request.request) }
      return { entry: await up.forwardJoin(request) }
    }
    root.registry.events.addEventListener('entries', () => {
      void secondary.registry.replica.apply(entriesOf(root.registry), root.registry.replica.checkpoint?.bytes)
    })
    const key = SigningKey.generate()
    const session = await sessionOf(key, secondary.host)
    const answer = await session.register(await joinCall(root.registry, key, 'gamma'))
    expect(hex(root.registry.replica.state.memberByName('gamma')?.publicKey)).toBe(hex(key.publicKey))
    expect(hex(answer.admit)).toBe(hex(root.registry.replica.state.member(key.publicKey)?.admit.bytes))
    expect(secondary.registry.records.get(key.publicKey)?.seq).toBe(1)
  })

  it('keeps the join at a secondary while there is no root, and tells the joiner when it was let in', async () => {
    const { root, secondary } = await networkWithSecondary()
    const key = SigningKey.generate()
    const session = await sessionOf(key, secondary.host)
    const call = await joinCall(root.registry, key, 'gamma')
    await secondary.registry.replica.apply(entriesOf(root.registry), root.registry.replica.checkpoint?.bytes)
    expect(await failure(session.register(call))).toMatchObject({ name: 'PendingError' })
    const told = new Promise<number>((resolve) => {
      session.events.addEventListener('admitted', ({ detail }) => resolve(detail.status), { once: true })
    })
    secondary.registry.admission.forward = async (request) => {
      if (request.kind !== 'join') throw new Error('only a join was queued')
      return { entry: (await root.registry.admission.join(request)).admit }
    }
    expect(await secondary.registry.admission.replayQueue()).toBe(1)
    await secondary.registry.replica.apply(entriesOf(root.registry), root.registry.replica.checkpoint?.bytes)
    expect(await told).toBe(0)
    expect(hex((await session.register(call)).record)).toBe(hex(call.record))
  })
})
