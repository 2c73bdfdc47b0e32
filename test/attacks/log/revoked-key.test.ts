import type { Connection, Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect } from 'vitest'
import { SigningKey } from '../../../src/identity/keys.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { statuses } from '../../../src/protocols/engine/status.ts'
import { Hello as HelloMessage } from '../../../src/protocols/hello/pb/hello.ts'
import { closed, exchange } from '../../helpers/hosts/hello-hosts.ts'
import { startHost } from '../../helpers/hosts.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { attack, control } from '../attack.ts'

const hello = HelloMessage.encode({ version: 1, role: 3, software: 'test' })
/** Answers that a revoked key gets at once, and the time in which one of them comes back. */
const atOnce = 10
const comesBackMs = 6_000
/** An answer that is a status and nothing else. */
const statusBytes = 8
const ours = ['hello', 'register', 'sync', 'lookup', 'probe', 'admin'].map((id) => `/trustnet/${id}/1.0.0`)
const protocols = ['/ipfs/id/1.0.0', '/ipfs/id/push/1.0.0', '/ipfs/ping/1.0.0', ...ours]

const dial = async (host: Libp2p, root: TrustNode): Promise<Connection> =>
  await host.dial(multiaddr(`/ip6/::1/tcp/${root.attached.port}/p2p/${root.peerId}`), { force: true })

/** Bytes that each of these protocols sends on a stream of this connection, until the stream or the connection ends. */
async function told(connection: Connection, ms: number): Promise<Map<string, number>> {
  const bytes = new Map(protocols.map((protocol) => [protocol, 0]))
  const talk = protocols.map(async (protocol) => {
    const stream = await connection.newStream(protocol, { signal: AbortSignal.timeout(5_000) })
    const { promise, resolve } = Promise.withResolvers<void>()
    setTimeout(resolve, ms).unref()
    stream.addEventListener('close', () => resolve(), { once: true })
    stream.addEventListener('message', ({ data }) => bytes.set(protocol, (bytes.get(protocol) ?? 0) + data.byteLength))
    stream.send(new Uint8Array([1, 0]))
    await promise
  })
  await Promise.allSettled(talk)
  return bytes
}

/** True when a dial is let in and its hello answered. */
async function isAnswered(host: Libp2p, root: TrustNode): Promise<boolean> {
  try {
    await exchange(await dial(host, root), hello)
    return true
  } catch {
    return false
  }
}

/** A host with this key and nothing else, and what the root tells it about itself. */
async function asker(root: TrustNode, key: SigningKey, said = hello) {
  const host = await startHost({}, { privateKey: key.toLibp2p(), identifies: false })
  const connection = await dial(host, root)
  const answer = await exchange(connection, said)
  const shown = [
    answer.genesis,
    answer.checkpoint,
    answer.admit,
    answer.renew,
    answer.registrySet,
    ...answer.delegations
  ]
  return {
    host,
    connection,
    status: answer.status,
    bytes: shown.reduce((sum, { byteLength }) => sum + byteLength, answer.software.length)
  }
}

describe('a revoked key', () => {
  attack('asks the root for anything, while it is told that it is revoked', async () => {
    await using network = await TestNetwork.create()
    const bad = await network.join('bad')
    await bad.stop()
    const root = network.node('root')
    await root.registry.admission.revoke(bad.key.publicKey, 'stolen')
    const from = performance.now()
    const { host, connection, status, bytes } = await asker(root, bad.key)
    const heard = [...(await told(connection, 60_000))]
    await closed(connection)
    const answeredMs = [0]
    for (let each = 0; each < 40; each++) {
      if (await isAnswered(host, root)) answeredMs.push(performance.now() - from)
    }
    await host.stop()
    expect(status).toBe(statuses.REVOKED)
    expect(bytes).toBe(0)
    expect(heard.filter(([, count]) => count > 0)).toEqual([])
    // The limit is ten at once, one of which comes back each six seconds: an eleventh answer is none before them.
    const early = answeredMs.filter((ms, index) => ms < (index + 1 - atOnce) * comesBackMs)
    expect(early).toEqual([])
    return {
      happened: `told REVOKED and ${bytes} bytes more; 0 by each of ${heard.length} protocols behind it; of 41 dials ${answeredMs.length} were answered`,
      held: 'a revoked key is let in for one status, ten times a minute, and hung up on'
    }
  })

  control('is told everything before it is revoked', async () => {
    await using network = await TestNetwork.create()
    const member = await network.join('member')
    await member.stop()
    const { host, connection, status, bytes } = await asker(network.node('root'), member.key)
    const heard = [...(await told(connection, 1_000)).values()].filter((count) => count > statusBytes)
    await host.stop()
    expect(status).toBe(statuses.OK)
    expect(bytes).toBeGreaterThan(500)
    expect(heard.length).toBeGreaterThan(0)
  })
})

describe('a host that was told WRONG_NETWORK', () => {
  const foreign = HelloMessage.encode({ version: 1, role: 3, software: 'test', networkId: new Uint8Array(32).fill(7) })

  attack('goes on with every other protocol on the same connection', async () => {
    await using network = await TestNetwork.create()
    const { host, connection, status } = await asker(network.node('root'), SigningKey.generate(), foreign)
    const heard = [...(await told(connection, 60_000))]
    await closed(connection)
    await host.stop()
    expect(status).toBe(statuses.WRONG_NETWORK)
    expect(heard.filter(([, count]) => count > 0)).toEqual([])
    return {
      happened: `0 bytes of ${heard.length} protocols behind the refusal, and the connection was closed`,
      held: 'whoever is refused in hello gets no other stream on that connection'
    }
  })

  control('a stranger that names no network hears who is here, and what is wrong with its join', async () => {
    await using network = await TestNetwork.create()
    const { host, connection, status } = await asker(network.node('root'), SigningKey.generate())
    const heard = await told(connection, 1_000)
    await host.stop()
    expect(status).toBe(statuses.NOT_MEMBER)
    expect(heard.get('/ipfs/id/1.0.0')).toBeGreaterThan(0)
    expect(heard.get('/trustnet/register/1.0.0')).toBeGreaterThan(0)
  })
})

control('a machine that was revoked while it was away learns it, and who says so', async () => {
  await using network = await TestNetwork.create()
  const bad = await network.join('bad')
  await bad.stop()
  await network.node('root').registry.admission.revoke(bad.key.publicKey, 'stolen')
  const again = await network.start('bad')
  await eventually(async () => (await again.control.status()).word === 'refused')
  const { summary, warnings } = await again.control.status()
  expect(summary).toContain('root says that the key of this node was revoked')
  expect(warnings.map(({ code }) => code)).toContain('revoked')
})
