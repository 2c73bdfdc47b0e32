import { expect, test } from 'vitest'
import { eventually, TestNetwork } from '../../helpers/network.ts'

test('a ping measures the way to a member by its name, and says why there is none', async () => {
  await using network = await TestNetwork.create({}, {})
  const root = network.node('root')
  const hal = await network.join('hal')
  const there = await hal.control.ping({ peer: 'root' })
  expect(there).toMatchObject({ name: 'root', direction: 'out', relay: null, sent: 1, received: 1, lastError: null })
  expect(there.address).toContain(`/p2p/${root.peerId}`)
  expect(there.pings[0]?.rttUs).toBeGreaterThan(0)
  expect(await root.control.ping({ peer: 'hal' })).toMatchObject({ direction: 'in', received: 1 })

  await expect(hal.control.ping({ peer: 'nobody' })).rejects.toThrow(/no member is called nobody/)
  await expect(hal.control.ping({ peer: 'hal' })).rejects.toThrow(/is this node itself/)

  const { peers } = await hal.control.peers()
  expect(await hal.control.connect({ peer: 'root' })).toMatchObject({ name: 'root', member: true })
  await expect(hal.control.connect({ peer: 'nobody' })).rejects.toThrow(/no member is called nobody/)
  await expect(hal.control.connect({})).rejects.toThrow(/says whom to connect to/)
  expect(peers).toHaveLength(2)

  await hal.stop()
  await eventually(() => root.network?.trust.members().next().done === true)
  const lost = await root.control.ping({ peer: 'hal' })
  expect(lost).toMatchObject({ sent: 1, received: 0, pings: [{ rttUs: null }], address: null, direction: null })
  expect(lost.lastError).toMatch(/hal cannot be reached at/)
})
