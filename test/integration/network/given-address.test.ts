import { expect, it } from 'vitest'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { TestNetwork } from '../../helpers/network.ts'
import { expectSchema } from '../../helpers/schemas.ts'

const failure = (call: Promise<unknown>): Promise<string> => call.then(() => 'none', String)

it('a node looks for its network at an address that it is given while it runs', async () => {
  await using network = await TestNetwork.create()
  const lost = await network.start('lost')
  const nobody = await failure(lost.control.connect({ multiaddr: '/ip6/::1/tcp/1' }))
  expect(nobody).toMatch(/^UnavailableError: the network was not found at \/ip6\/::1\/tcp\/1 yet: .*tried there first/)
  expect(await failure(lost.control.connect({ multiaddr: 'root' }))).toMatch(/^InvalidPayloadError/)
  const connected = await lost.control.connect({ multiaddr: network.address('root') })
  expectSchema('connect', connected)
  expect(connected).toMatchObject({ name: 'root', peerId: network.node('root').peerId })
  await lost.joined({ signal: AbortSignal.timeout(ceilingMs) })
})
