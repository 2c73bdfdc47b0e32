import type { Connection, Libp2p } from '@libp2p/interface'
import { SigningKey } from '../../../src/identity/keys.ts'
import type { Role } from '../../../src/identity/role.ts'
import { FrameStream } from '../../../src/protocols/engine/frames.ts'
import { type LimitOverrides, limitsWith } from '../../../src/protocols/engine/limits.ts'
import { ConnectionTrust } from '../../../src/protocols/engine/trust/connection-trust.ts'
import {
  type Hello,
  type HelloProven,
  type HelloRefused,
  type HelloSource,
  hello,
  registryHello
} from '../../../src/protocols/hello/index.ts'
import { Hello as HelloMessage } from '../../../src/protocols/hello/pb/hello.ts'
import { startHost } from '../hosts.ts'
import { TinyNetwork, TinyReplica } from '../registry/tiny-network.ts'

const protocol = '/trustnet/hello/1.0.0'
/** Hosts that are stopped after the test. */
export const opened: Libp2p[] = []

/** Call it after each test. */
export async function stopOpened(): Promise<void> {
  await Promise.all(opened.splice(0).map(async (host) => host.stop()))
}

interface Peer {
  host: Libp2p
  hello: Hello
  trust: ConnectionTrust
  replica: TinyReplica | undefined
  proven: Promise<HelloProven>
  refused: Promise<HelloRefused>
}

/** No identify: hello must not need it. */
export async function peer(
  source: HelloSource,
  key: SigningKey,
  overrides: LimitOverrides = {},
  replica?: TinyReplica
) {
  const limits = limitsWith(overrides)
  const trust = new ConnectionTrust({ limits: limits.strangers, settleMs: limits.hello.settleMs })
  const services = { hello: hello({ source, trust, limits }) }
  const host = await startHost(services, { privateKey: key.toLibp2p(), identifies: false })
  opened.push(host)
  const service = host.services.hello
  const proven = new Promise<HelloProven>((resolve) => {
    service.events.addEventListener('proven', ({ detail }) => resolve(detail), { once: true })
  })
  const refused = new Promise<HelloRefused>((resolve) => {
    service.events.addEventListener('refused', ({ detail }) => resolve(detail), { once: true })
  })
  const made: Peer = { host, hello: service, trust, replica, proven, refused }
  return made
}

export function member(
  network: TinyNetwork,
  key: SigningKey,
  role: Role,
  overrides?: LimitOverrides,
  given?: TinyReplica
) {
  const replica = given ?? new TinyReplica(network)
  const { networkId, genesis } = network
  const own = { publicKey: key.publicKey, software: 'test', maxDelegations: 8 }
  return peer(registryHello({ networkId, genesis, role, replica }, own), key, overrides, replica)
}

export const closed = (connection: Connection) =>
  new Promise<void>((resolve) => {
    if (connection.status !== 'open') resolve()
    connection.addEventListener('close', () => resolve(), { once: true })
  })

export async function twoMembers() {
  const network = new TinyNetwork()
  const [a, b] = [SigningKey.generate(), SigningKey.generate()]
  network.admit(a, 'alpha', 'root')
  network.admit(b, 'beta', 'integrated')
  return { network, a, b }
}

/** Sends one frame on a hello stream and gives the answer. */
export async function exchange(connection: Connection, bytes: Uint8Array): Promise<HelloMessage> {
  const stream = await connection.newStream(protocol)
  const frames = new FrameStream(stream, { maxFrame: 64 * 1024, limits: limitsWith().stream })
  await frames.write(bytes)
  const answer = await frames.read()
  await frames.close()
  if (answer === undefined) throw new Error('no answer')
  return HelloMessage.decode(answer)
}
