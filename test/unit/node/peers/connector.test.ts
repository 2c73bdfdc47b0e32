import type { Multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import type { Role } from '../../../../src/identity/role.ts'
import { defaults } from '../../../../src/node/config/defaults.ts'
import { Connector, type ConnectorInit, type PeerTarget } from '../../../../src/node/peers/connector.ts'
import { limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { ConnectionTrust } from '../../../../src/protocols/engine/trust/connection-trust.ts'
import { type Clock, silentLogger, systemClock } from '../../../../src/runtime/clock-and-logger.ts'
import { Supervisor } from '../../../../src/runtime/supervisor.ts'
import { FakeClock } from '../../../helpers/observations.ts'

const registries = Array.from(
  { length: 5 },
  (): PeerTarget => ({ publicKey: SigningKey.generate().publicKey, addrs: ['/ip6/::1/tcp/1'], isRegistry: true })
)

interface Change {
  role?: Role
  wanted?: number
  clock?: Clock
  targets?: () => PeerTarget[]
}

const keeperWith = (
  dial: (addrs: Multiaddr[]) => Promise<never>,
  { role = 'integrated', wanted = 0, clock = systemClock, targets = () => [...registries] }: Change
): Connector =>
  new Connector({
    libp2p: { dial } as unknown as ConnectorInit['libp2p'],
    hello: {} as ConnectorInit['hello'],
    trust: new ConnectionTrust({ limits: limitsWith().strangers, settleMs: 100 }),
    // The lowest of all keys: it never waits for the other side to dial.
    self: new Uint8Array(32),
    config: {
      role,
      limits: { peersWanted: wanted, peersMax: 50 },
      bootstrap: { dialTimeoutMs: 1_000 },
      replication: { ...defaults.replication, queueLimit: 0 }
    },
    book: { targets, findMore: async () => [], connected: () => {}, failed: () => {} },
    clock,
    logger: silentLogger
  })

/** How many of five registries are dialled in the first look. None of them answers. */
async function dialled(change: Change): Promise<number> {
  let dials = 0
  const first = Promise.withResolvers<void>()
  const { promise: never, reject } = Promise.withResolvers<never>()
  const dial = async (): Promise<never> => {
    dials++
    first.resolve()
    return await never
  }
  const keeper = keeperWith(dial, change)
  keeper.start(new Supervisor())
  await first.promise
  keeper.stop()
  reject(new Error('the test is over'))
  return dials
}

describe('connections to registries', () => {
  it('are three, of a node', async () => {
    expect(await dialled({})).toBe(3)
  })

  it('are as many as there are, of a registry', async () => {
    expect(await dialled({ role: 'secondary' })).toBe(5)
  })

  it('beyond three count as those to other members', async () => {
    expect(await dialled({ wanted: 4 })).toBe(4)
  })
})

describe('a host that many records name', () => {
  const good = '/ip6/fd00::1/tcp/9000'
  const named = Array.from(
    { length: 20 },
    (_, index): PeerTarget => ({
      publicKey: SigningKey.generate().publicKey,
      addrs: Array.from({ length: 8 }, (_port, port) => `/ip6/fd00::1/tcp/${1 + index * 8 + port}`),
      isRegistry: false
    })
  )

  /** A keeper that has been told of these targets; nobody answers anywhere. */
  function dialling(all: PeerTarget[]) {
    const clock = new FakeClock()
    const addresses: string[] = []
    let looks = 0
    const dial = async (addrs: Multiaddr[]): Promise<never> => {
      addresses.push(...addrs.map((addr) => addr.toString().replace(/\/p2p\/.*/, '')))
      throw new Error('nobody there')
    }
    const keeper = keeperWith(dial, {
      clock,
      wanted: 50,
      targets: () => {
        looks++
        return [...all]
      }
    })
    const lookUntil = async (done: () => boolean): Promise<void> => {
      await expect
        .poll(() => {
          keeper.look()
          return done()
        })
        .toBe(true)
    }
    return { clock, addresses, lookUntil, looks: () => looks, [Symbol.dispose]: () => keeper.stop() }
  }

  it('is dialled 32 times, and as often again a minute later', async () => {
    using keeper = dialling(named)
    const { clock, addresses, looks, lookUntil } = keeper
    for (const most of [32, 64]) {
      await lookUntil(() => addresses.length >= most)
      const before = looks()
      await lookUntil(() => looks() > before + 3)
      expect(addresses).toHaveLength(most)
      clock.advance(60_000)
    }
  })

  it('is dialled where a key has answered before, whatever others name', async () => {
    using keeper = dialling([
      ...named,
      { publicKey: SigningKey.generate().publicKey, addrs: [good], isRegistry: false, answered: good }
    ])
    const { addresses, lookUntil } = keeper
    await lookUntil(() => addresses.length >= 33)
    expect(addresses).toContain(good)
  })
})
