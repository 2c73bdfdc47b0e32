import { join } from 'node:path'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, expect } from 'vitest'
import type { TrustNode } from '../../../src/node/node.ts'
import { restoreHere } from '../../../src/node/offline/stopped-store.ts'
import { type HelloSource, registryHello } from '../../../src/protocols/hello/index.ts'
import { peer, stopOpened } from '../../helpers/hosts/hello-hosts.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { attack, control } from '../attack.ts'

afterEach(stopOpened)

/** What a registry says in its hello, with or without its checkpoint, whoever asks. */
function voiceOf({ registry, key }: TrustNode, isSilent: boolean): HelloSource {
  const own = { publicKey: key.publicKey, software: 'test', maxDelegations: 8 }
  const { checkpoint, ...said } = registryHello(registry, own).local()
  return {
    local: () => (isSilent ? { ...said, checkpoint: undefined } : { ...said, checkpoint }),
    judge: async () => ({
      kind: 'member',
      member: { publicKey: registry.root?.publicKey ?? key.publicKey, name: 'root', role: 'root' }
    })
  }
}

/** A root that was restored from a backup, and a registry of its set that knows more and connects as nothing but a voice. */
async function restored(isSilent: boolean): Promise<{ network: TestNetwork; root: TrustNode }> {
  const network = await TestNetwork.create()
  const mallory = await network.join('mallory', { role: 'secondary' })
  const inSet = (): boolean => network.node('root').registry.replica.state.registry(mallory.key.publicKey) !== undefined
  await eventually(inSet)
  const backup = join(network.folder, 'backup.db')
  await network.node('root').control.backup({ to: backup })
  await network.join('b')
  await eventually(() => mallory.registry.replica.state.memberByName('b') !== undefined)
  const source = voiceOf(mallory, isSilent)
  await Promise.all(network.nodes.map((node) => node.stop()))
  await restoreHere(network.node('root').config, backup, true)
  const root = await network.start('root', { role: 'root' })
  const { host, proven } = await peer(source, mallory.key)
  await host.dial(multiaddr(`/ip6/::1/tcp/${root.attached.port}`))
  await proven
  return { network, root }
}

attack('a registry that shows no checkpoint to a root that was restored', async () => {
  const { network, root } = await restored(true)
  await using _ = network
  await eventually(() => [...root.attached.trust.members()].length > 0)
  await expect(root.registry.root?.append([])).rejects.toThrow(/was restored/)
  await expect(root.control.revoke({ peer: 'mallory', reason: 'no' })).rejects.toThrow(/was restored/)
  expect(root.attached.heads.heard.size).toBe(0)
  // The registry itself, with all that it holds.
  await stopOpened()
  await network.start('mallory', { role: 'secondary', 'bootstrap.peers': [network.address('root')] })
  await eventually(() => root.registry.root?.refusal === undefined)
  expect(root.registry.replica.state.memberByName('b')).toBeDefined()
  return {
    happened:
      'a silent registry connected: 0 entries appended, and the missing one fetched when the registry showed its head',
    held: 'who shows no checkpoint is not heard; a restored root waits for every registry of its set'
  }
})

control('a registry that shows a newer checkpoint is heard, and what it has is missing', async () => {
  const { network, root } = await restored(false)
  await using _ = network
  await eventually(() => root.registry.root?.refusal?.message.includes('a member holds the log up to') === true)
})

attack('members that show an old head to a restored root that knows of no other registry', async () => {
  await using network = await TestNetwork.create()
  for (const name of ['a', 'b', 'c']) await network.join(name)
  const backup = join(network.folder, 'backup.db')
  await network.node('root').control.backup({ to: backup })
  await Promise.all(['a', 'b'].map(async (name) => await network.node(name).stop()))
  await network.join('d')
  await eventually(() => network.node('c').registry.replica.state.memberByName('d') !== undefined)
  await Promise.all(['c', 'd', 'root'].map(async (name) => await network.node(name).stop()))
  await restoreHere(network.node('root').config, backup, true)
  const root = await network.start('root', { role: 'root' })
  const peers = { 'bootstrap.peers': [network.address('root')] }
  for (const [index, name] of ['a', 'b'].entries()) {
    await network.start(name, peers)
    await eventually(() => root.attached.heads.heard.size === index + 1)
    await expect(root.registry.root?.append([])).rejects.toThrow(/was restored/)
  }
  await network.start('c', peers)
  await eventually(() => root.registry.root?.refusal === undefined)
  expect(root.registry.replica.state.memberByName('d')).toBeDefined()
  return {
    happened: 'two of them connected: 0 entries appended; the third brought the entry that was missing',
    held: 'a restored root that knows of no other registry waits for three members'
  }
})
