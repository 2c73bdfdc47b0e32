import { describe, expect, it } from 'vitest'
import { PeerKeeper, type PeerKeeperInit, type PeerTarget } from '../../../src/node/peer-keeper.ts'
import { limitsWith } from '../../../src/protocols/engine/limits.ts'
import { ConnectionTrust } from '../../../src/protocols/engine/trust.ts'
import { SigningKey } from '../../../src/registry/keys.ts'
import { silentLogger, systemClock } from '../../../src/registry/ports.ts'

const targets = Array.from(
  { length: 5 },
  (): PeerTarget => ({ publicKey: SigningKey.generate().publicKey, addrs: ['/ip6/::1/tcp/1'], isRegistry: true })
)

/** How many of five registries are dialled in the first look. None of them answers. */
async function dialled(change: Partial<PeerKeeperInit>): Promise<number> {
  let dials = 0
  const first = Promise.withResolvers<void>()
  const { promise: never, reject } = Promise.withResolvers<never>()
  const libp2p = {
    dial: async () => {
      dials++
      first.resolve()
      return await never
    }
  }
  const keeper = new PeerKeeper({
    libp2p: libp2p as unknown as PeerKeeperInit['libp2p'],
    hello: {} as PeerKeeperInit['hello'],
    trust: new ConnectionTrust({ limits: limitsWith().strangers, settleMs: 100 }),
    // The lowest of all keys: it never waits for the other side to dial.
    self: new Uint8Array(32),
    isRegistry: false,
    clock: systemClock,
    logger: silentLogger,
    backoff: { initialMs: 1_000, maxMs: 60_000, multiplier: 2 },
    wanted: 0,
    most: 50,
    dialTimeoutMs: 1_000,
    targets: () => [...targets],
    findMore: async () => undefined,
    onConnected: () => {},
    onFailed: () => {},
    ...change
  })
  keeper.start()
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
    expect(await dialled({ isRegistry: true })).toBe(5)
  })

  it('beyond three count as those to other members', async () => {
    expect(await dialled({ wanted: 4 })).toBe(4)
  })
})
