import { lpStream } from '@libp2p/utils'
import { expect } from 'vitest'
import { peerIdText } from '../../../src/identity/keys.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { memberTargets } from '../../../src/node/peers/member-targets.ts'
import { statuses } from '../../../src/protocols/engine/status.ts'
import { probeId } from '../../../src/protocols/probe/index.ts'
import { ProbeAnswer } from '../../../src/protocols/probe/pb/probe.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { memberAt, probeAll, stateAt } from '../../helpers/network-views.ts'
import { attack, control } from '../attack.ts'

/** Says of everybody that nobody listens there. */
async function lie(node: TrustNode): Promise<void> {
  await node.libp2p.services.probe?.stop()
  await node.libp2p.handle(probeId, async (stream) => {
    const frames = lpStream(stream)
    await frames.read()
    await frames.write(ProbeAnswer.encode({ status: statuses.OK, outcome: 2, failure: 1, tookMs: 1 }))
    await stream.close()
  })
}

async function stage(network: TestNetwork, flags: Record<string, unknown> = {}) {
  const root = network.node('root')
  const liar = await network.join('liar')
  await network.join('honest')
  await network.join('victim', flags)
  await lie(liar)
  await eventually(() => network.nodes.every((node) => node.registry.records.count() === 4))
  await probeAll(root, memberAt(root, 'victim').publicKey)
  const view = await network.node('honest').control.matrix()
  const words = view.members.find(({ name }) => name === 'victim')?.addresses.flatMap(({ words: all }) => all) ?? []
  const said = Object.fromEntries(words.map(({ prober, failure }) => [prober.name, failure]))
  return { root, said, view }
}

attack('a prober says of everybody that nobody listens there', async () => {
  await using network = await TestNetwork.create()
  const { root, said } = await stage(network)
  expect(said).toEqual({ liar: 'refused', honest: null, root: null })
  const { publicKey } = memberAt(root, 'victim')
  expect(root.registry.records.read(publicKey)?.reach).not.toBe('outbound')
  expect(stateAt(network.node('honest'), 'victim')).toBe('online')
  const dialled = memberTargets(root.registry, root.key.publicKey, true).map((target) => peerIdText(target.publicKey))
  expect(dialled).toContain(peerIdText(publicKey))
  return {
    happened: '1 of 3 words is the lie, and shown as the word of the liar; the victim is online, direct and dialled',
    held: 'a word is shown as its own and decides nothing'
  }
})

control('where nobody listens every prober says so', async () => {
  await using network = await TestNetwork.create()
  const { said } = await stage(network, { 'announce.addresses': ['/ip6/::1/tcp/1'] })
  expect(said).toEqual({ liar: 'refused', honest: 'refused', root: 'refused' })
})
