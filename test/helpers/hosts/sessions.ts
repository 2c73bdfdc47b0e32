import { randomBytes } from 'node:crypto'
import type { Connection, Libp2p } from '@libp2p/interface'
import { vi } from 'vitest'
import { SigningKey } from '../../../src/identity/keys.ts'
import type { Role } from '../../../src/identity/role.ts'
import { FrameStream } from '../../../src/protocols/engine/frames.ts'
import { type LimitOverrides, limitsWith } from '../../../src/protocols/engine/limits.ts'
import { ConnectionTrust } from '../../../src/protocols/engine/trust/connection-trust.ts'
import {
  openRegisterSession,
  type RegisterSession,
  register,
  registryBackend
} from '../../../src/protocols/register/index.ts'
import { SessionFrame } from '../../../src/protocols/register/pb/register.ts'
import type { LivenessTimings } from '../../../src/registry/liveness/liveness.ts'
import type { Grant } from '../../../src/registry/objects/grant.ts'
import { makeJoin, openJoin } from '../../../src/registry/objects/join.ts'
import { ceilingMs } from '../ceiling.ts'
import { connect, connectionWith, type HostInit, startHost, startPlainHost } from '../hosts.ts'
import { TinyNetwork, TinyRegistry } from '../registry/tiny-network.ts'

export const protocol = '/trustnet/register/1.0.0'
const hosts: Libp2p[] = []
const registries: TinyRegistry[] = []

/** Call it after each test. */
export async function stopServed(): Promise<void> {
  await Promise.all(hosts.splice(0).map(async (host) => host.stop()))
  for (const registry of registries.splice(0)) registry[Symbol.dispose]()
}

/** A host that is stopped with the others. */
export async function plainHost(init: HostInit = {}): Promise<Libp2p> {
  const host = await startPlainHost(init)
  hosts.push(host)
  return host
}

interface ServedInit {
  limits?: LimitOverrides
  timings?: Partial<LivenessTimings>
  /** What becomes of a join, after it was opened. */
  decide?: (join: ReturnType<typeof openJoin>, network: TinyNetwork, registry: TinyRegistry) => void | Promise<void>
}

/** A root that serves sessions. */
export async function served(init: ServedInit = {}) {
  const network = new TinyNetwork()
  const key = SigningKey.generate()
  network.admit(key, 'root', 'root')
  const registry: TinyRegistry = new TinyRegistry({
    network,
    key,
    role: 'root',
    ...(init.timings && { timings: init.timings }),
    join: async (bundle) => {
      const join = openJoin(bundle.join, network.networkId)
      await init.decide?.(join, network, registry)
      const entry = network.admit(join.value, join.value.name, join.value.role)
      registry.replica.catchUp()
      return { admit: entry.bytes }
    }
  })
  registries.push(registry)
  const limits = limitsWith(init.limits)
  const trust = new ConnectionTrust({ limits: limits.strangers, settleMs: 100 })
  const heads: Uint8Array[] = []
  const service = register({
    backend: registryBackend(registry),
    trust,
    limits,
    silentMs: 90_000,
    onCheckpoint: (checkpoint) => heads.push(checkpoint)
  })
  const host = await startHost({ register: service }, { privateKey: key.toLibp2p() })
  hosts.push(host)
  return { network, registry, trust, host, limits, heads, service: host.services.register }
}

export type Served = Awaited<ReturnType<typeof served>>

/** A host with a connection to the registry and, unless it is a stranger, a membership that both know. */
export async function client(root: Served, name: string, role?: Role, key = SigningKey.generate()) {
  if (role !== undefined && root.registry.replica.state.member(key.publicKey) === undefined) {
    root.network.admit(key, name, role)
    root.registry.replica.catchUp()
  }
  const host = await startPlainHost({ privateKey: key.toLibp2p() })
  hosts.push(host)
  const connection = await connect(host, root.host)
  const inbound = await connectionWith(root.host, host)
  if (role !== undefined) root.trust.prove(inbound, { publicKey: key.publicKey, name, role })
  else root.trust.track(inbound)
  const open = () => openRegisterSession(connection, { limits: root.limits })
  return { key, host, connection, inbound, open, session: await open() }
}

export const instance = () => Uint8Array.from(randomBytes(16))
export const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error
  )

export const joinOf = (
  root: Served,
  key: SigningKey,
  name: string,
  invite?: { grant: Pick<Grant, 'id'>; inviteKey: SigningKey }
) => makeJoin({ networkId: root.network.networkId, key, name, role: 'integrated', timeMs: Date.now(), ...invite })

export const nextEvent = (session: RegisterSession, type: 'admitted' | 'duplicate') =>
  new Promise<{ status: number } | undefined>((resolve) => {
    session.events.addEventListener(type, (event) => resolve(event.detail ?? undefined), { once: true })
  })

/** Waits until liveness says so; gives its reason. */
export const untilState = (root: Served, key: SigningKey, state: string): Promise<string> =>
  vi.waitFor(
    () => {
      root.registry.liveness.tick()
      const view = root.registry.liveness.view(key.publicKey)
      if (view.state !== state) throw new Error(`${view.state}, where ${state} is due`)
      return view.reason
    },
    { timeout: ceilingMs, interval: 20 }
  )

/** A session stream without the client. Pings are not answered. */
export async function rawSession(connection: Connection) {
  const stream = await connection.newStream(protocol)
  const frames = new FrameStream(stream, { maxFrame: 64 * 1024, limits: limitsWith().stream })
  const send = (bytes: Uint8Array) => {
    frames.write(bytes).catch(() => {})
  }
  const ask = async (frame?: SessionFrame): Promise<SessionFrame> => {
    if (frame !== undefined) send(SessionFrame.encode(frame))
    for await (const bytes of frames) {
      const answer = SessionFrame.decode(bytes)
      if (answer.ping === undefined) return answer
    }
    throw new Error('the session ended')
  }
  return { frames, send, ask }
}
