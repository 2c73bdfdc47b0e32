import { expect, test } from 'vitest'
import { joinThrough, relayTo } from '../../helpers/faults/relay.ts'
import { TestNetwork } from '../../helpers/network.ts'
import { leaseAt, seenBy } from '../../helpers/network-views.ts'

test('who reads all packets between a member and its registry learns no name, key, network or protocol', async () => {
  await using network = await TestNetwork.create({ 'admission.policy': 'invite' })
  const root = network.node('root')
  await using between = await relayTo(root.attached.port)
  const { member, invite } = await joinThrough(network, 'quiet-machine', between)
  await seenBy([root], 'quiet-machine', 'online')
  expect(leaseAt(member)).toBe('root')

  const heard = between.heard()
  expect(heard.includes('/noise'), 'the session goes past the listener').toBe(true)
  expect(heard.length).toBeGreaterThan(4_096)
  const secrets: Record<string, string | Uint8Array> = {
    'the name of the member': 'quiet-machine',
    'the name of the root': 'root',
    'the domain': 'net.test',
    'a protocol': '/trustnet/',
    'the network': root.registry.networkId,
    'the key of the member': member.key.publicKey,
    'the key of the root': root.key.publicKey,
    'the PeerId of the member': member.peerId,
    'the id of the invite': invite.grant.id,
    'the key of the invite': invite.inviteKey.publicKey
  }
  const leaked = Object.entries(secrets).filter(([, secret]) => heard.includes(Buffer.from(secret)))
  expect(leaked.map(([what]) => what)).toEqual([])
})
