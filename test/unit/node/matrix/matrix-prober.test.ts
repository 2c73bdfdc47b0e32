import { expect, it } from 'vitest'
import { MatrixProber } from '../../../../src/node/matrix/matrix-prober.ts'
import { freshMs, ProbeWords } from '../../../../src/node/matrix/probe-words.ts'
import { defaultLimits } from '../../../../src/protocols/engine/limits.ts'
import { ConnectionTrust } from '../../../../src/protocols/engine/trust/connection-trust.ts'
import { silentLogger } from '../../../../src/runtime/clock-and-logger.ts'
import { RealNetwork, recordBy } from '../../../helpers/real-network.ts'

const { signal } = new AbortController()
const addrAt = (port: number): string => `/ip6/2001:db8::1/tcp/${port}`

it('a member that changes its addresses again and again keeps nobody from being probed, and only the newest are kept', async () => {
  await using network = await RealNetwork.create()
  const { root: registry, clock } = network
  const [steady, changing] = [await network.admit('steady'), await network.admit('changing')]
  for (const { publicKey } of [steady, changing]) registry.liveness.open(publicKey, publicKey.subarray(0, 16))
  await registry.records.put(recordBy(registry, steady, 1, { addrs: [addrAt(1)] }))
  const dialled: string[] = []
  const words = new ProbeWords(clock)
  const prober = new MatrixProber({
    registry,
    self: network.rootKey.publicKey,
    trust: new ConnectionTrust({ limits: defaultLimits.strangers, settleMs: 1_000 }),
    limits: defaultLimits,
    words,
    prober: {
      dial: async (addr) => {
        dialled.push(addr)
        return { failure: undefined, tookMs: 1 }
      }
    },
    clock,
    logger: silentLogger
  })
  for (let members = 0; members < 3; members++) await prober.round(signal)
  expect(dialled).toEqual([addrAt(1)])
  clock.advance(freshMs)
  for (let seq = 1; seq <= 9; seq++) {
    await registry.records.put(recordBy(registry, changing, seq, { addrs: [addrAt(100 + seq), addrAt(200 + seq)] }))
    prober.look(changing.publicKey)
    await prober.round(signal)
  }
  expect(dialled.filter((addr) => addr === addrAt(1))).toHaveLength(2)
  const told = words.told(changing.publicKey).flatMap(({ addrs }) => addrs.map(({ addr }) => addr))
  expect(told).toEqual([addrAt(109), addrAt(209)])
})
