import { expect, test } from 'vitest'
import { joinThrough, relayTo } from '../../helpers/faults/relay.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { leaseAt } from '../../helpers/network-views.ts'

test('a connection that was cut without a word is closed when what is asked on it goes unanswered, and dialled anew', async () => {
  await using network = await TestNetwork.create({ 'admission.policy': 'invite' })
  const root = network.node('root')
  await using between = await relayTo(root.attached.port)
  const { member } = await joinThrough(network, 'alpha', between)
  const before = member.network?.session
  expect(leaseAt(member)).toBe('root')

  between.freeze()
  // Long before a connection that says nothing is given up for that alone.
  await eventually(() => leaseAt(member) === 'root' && member.network?.session !== before)
  expect(member.network?.session?.peer.connection.id).not.toBe(before?.peer.connection.id)
  await eventually(() => before?.peer.connection.status !== 'open')
})
