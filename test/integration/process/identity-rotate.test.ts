import { copyFileSync, existsSync, readFileSync, statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { loadKey } from '../../../src/identity/key-file.ts'
import { peerIdText } from '../../../src/identity/keys.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { sealRotation } from '../../../src/registry/objects/rotate.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { expectSchema } from '../../helpers/schemas.ts'

const joined = async (node: TrustNode): Promise<void> => await node.joined({ signal: AbortSignal.timeout(ceilingMs) })

/** The key that a node has on its disk, and whether another one lies beside it. */
const files = ({ config }: TrustNode): [string, boolean] => [
  peerIdText(loadKey(config.paths.key).publicKey),
  existsSync(`${config.paths.key}.next`)
]

/** The member of a name, as a node sees it, and whether it sees that member online. */
const seenBy = (node: TrustNode, name: string): string => {
  const member = node.registry.replica.state.memberByName(name)
  return member === undefined ? 'nobody' : peerIdText(member.publicKey)
}

const isOnline = async (node: TrustNode, peerId: string): Promise<boolean> =>
  (await node.control.peers()).peers.some((row) => row.peerId === peerId && row.state === 'online')

describe('identity rotate', () => {
  it('gives a running member another key: name, role, groups and session go on, the old key is void', async () => {
    await using network = await TestNetwork.create()
    const root = network.node('root')
    const [hal, bob] = [await network.join('hal'), await network.join('bob')]
    await root.control.changeMember({ peer: 'hal', groups: ['web'] })
    await eventually(() => hal.registry.replica.head.n === root.registry.replica.head.n)
    const { peerId: before, key } = hal
    const store = statSync(`${hal.config.paths.data}/registry.db`).ino
    const plan = await hal.control.rotateIdentity({ plan: true })
    expectSchema('identity-rotate', plan)
    expect([plan.newPeerId, plan.entry, ...files(hal)]).toEqual([null, null, before, false])

    const done = await hal.control.rotateIdentity()
    expectSchema('identity-rotate', done)
    expect(done).toMatchObject({ peerId: before, name: 'hal', newPeerId: hal.peerId })
    expect(hal.peerId).not.toBe(before)
    expect(hal.libp2p.peerId.toString()).toBe(hal.peerId)
    await joined(hal)
    await eventually(() => !files(hal)[1])
    expect(files(hal)).toEqual([hal.peerId, false])
    expect(statSync(`${hal.config.paths.data}/registry.db`).ino).toBe(store)
    for (const node of [root, bob]) await eventually(() => seenBy(node, 'hal') === hal.peerId)
    for (const node of [root, bob]) await eventually(async () => await isOnline(node, hal.peerId))
    expect(root.registry.replica.state.isRevoked(key.publicKey)).toBe(true)
    expect(root.registry.replica.state.memberByName('hal')).toMatchObject({ role: 'integrated', groups: ['web'] })
    expect(hal.registry.alarms.list().map(({ code }) => code)).toEqual([])
    // Once more, and over a restart.
    const second = await hal.control.rotateIdentity()
    await eventually(() => files(hal)[0] === second.newPeerId)
    await hal.stop()
    const again = await network.join('hal')
    expect(again.peerId).toBe(second.newPeerId)
  })

  it('says which rights stay with the old key, and how the new one gets them', async () => {
    await using network = await TestNetwork.create()
    const root = network.node('root')
    const [hal, bob] = [await network.join('hal'), await network.join('bob')]
    const { peerId: before } = hal
    await root.control.allowPublisher({ publisher: 'hal' })
    await root.control.addOperator({ name: 'ann', keyId: before })
    for (const node of [hal, bob]) await eventually(() => node.registry.replica.head.n === root.registry.replica.head.n)
    const plain = await bob.control.rotateIdentity({ plan: true })
    expect(plain.message).not.toMatch(/publish|operator/)
    const plan = await hal.control.rotateIdentity({ plan: true })
    expect(plan.message).toContain('`trustnet document allow-publisher NEW_PEERID`')
    expect(plan.message).toContain('`trustnet operator remove ann`')
    const { newPeerId, message } = await hal.control.rotateIdentity()
    expect(message).toContain(`\`trustnet document allow-publisher ${newPeerId}\``)
    expect(message).toContain(`\`trustnet document remove-publisher ${before}\``)
    expect(message).toContain('`trustnet operator add ann --key FILE.pub`')
    await root.control.allowPublisher({ publisher: newPeerId ?? '' })
    await root.control.removeOperator({ name: 'ann' })
  })

  it('goes through a secondary, and waits there while the root is away', async () => {
    await using network = await TestNetwork.create()
    const root = network.node('root')
    const { port } = root.attached
    const tnr2 = await network.join('tnr2', { role: 'secondary' })
    await eventually(() => tnr2.registry.replica.state.registry(tnr2.key.publicKey) !== undefined)
    const hal = await network.join('hal', { 'bootstrap.peers': [network.address('tnr2'), network.address('root')] })
    await root.stop()
    await eventually(() => hal.attached.session?.peer.name === 'tnr2')
    const before = hal.peerId
    const waits = await hal.control.rotateIdentity()
    expect([waits.entry, hal.peerId, ...files(hal)]).toEqual([null, before, before, true])
    const back = await network.start('root', { role: 'root', 'listen.port': port })
    await eventually(() => hal.peerId === waits.newPeerId && files(hal)[0] === waits.newPeerId)
    await eventually(() => seenBy(back, 'hal') === waits.newPeerId)
    await joined(hal)
  })

  it('gives the root another key: members follow it, also one that was away', async () => {
    await using network = await TestNetwork.create()
    const root = network.node('root')
    const { port } = root.attached
    const [hal, bob] = [await network.join('hal', { 'listen.port': 0 }), await network.join('bob')]
    const bobs = network.processInit('bob').flags
    await bob.stop()
    const before = root.peerId
    const done = await root.control.rotateIdentity()
    expect([done.newPeerId, root.attached.port]).toEqual([root.peerId, port])
    expect(done.message).toContain('Invites that were made before')
    expect(root.peerId).not.toBe(before)
    // The session of before may stand for a moment.
    await eventually(() => seenBy(hal, 'root') === root.peerId && hal.attached.session?.peer.name === 'root')
    await eventually(() => root.registry.root?.refusal === undefined)
    // It knows the old key of the root alone.
    const again = await network.start('bob', bobs)
    await eventually(() => again.attached.session !== undefined && seenBy(again, 'root') === root.peerId)
    await network.join('eve')
    await root.control.changeMember({ peer: 'bob', groups: ['db'] })
    await eventually(() => again.registry.replica.state.memberByName('bob')?.groups.join() === 'db')
  })

  it('comes up with the key that is valid, wherever it was killed', async () => {
    await using network = await TestNetwork.create()
    const root = network.node('root')
    const hal = await network.join('hal')
    const before = hal.peerId
    const { key: path } = hal.config.paths
    // Before the request was sent: the key of before goes on, and the next try takes the same new key.
    const next = hal.rotation.begin()
    await hal.stop()
    const first = await network.join('hal')
    expect(first.peerId).toBe(before)
    expect(existsSync(`${path}.next`)).toBe(true)
    await first.stop()
    // The root has entered it, and this store does not know: nobody takes the old key any more.
    await root.registry.admission.rotate(sealRotation(root.registry.networkId, first.key, next))
    const second = await network.start('hal', { 'bootstrap.peers': [network.address('root')] })
    await eventually(() => second.peerId === peerIdText(next.publicKey) && second.attached.session !== undefined)
    await eventually(() => !existsSync(`${path}.next`))
    expect(files(second)).toEqual([second.peerId, false])
    // The log has it, and the files were not changed yet.
    const third = second.rotation.begin()
    copyFileSync(path, `${path}.old`)
    await root.registry.admission.rotate(sealRotation(root.registry.networkId, second.key, third))
    await eventually(() => files(second)[0] === peerIdText(third.publicKey))
    await second.stop()
    copyFileSync(path, `${path}.next`)
    copyFileSync(`${path}.old`, path)
    const last = await network.join('hal')
    expect([last.peerId, ...files(last)]).toEqual([peerIdText(third.publicKey), peerIdText(third.publicKey), false])
    expect(readFileSync(path)).toHaveLength(68)
  })

  it('says that its key is the one that an earlier try has left, which a thief may know', async () => {
    await using network = await TestNetwork.create()
    const hal = await network.join('hal')
    const left = hal.rotation.begin()
    const done = await hal.control.rotateIdentity()
    expect(done.newPeerId).toBe(peerIdText(left.publicKey))
    expect(done.message).toContain('an earlier try has left on this disk')
    await joined(hal)
    await eventually(() => !files(hal)[1])
    const again = await hal.control.rotateIdentity()
    expect(again.message).not.toContain('earlier try')
    expect(again.newPeerId).not.toBe(done.newPeerId)
  })

  it('is refused to one that is no member, and where nobody answers, and changes nothing', async () => {
    await using network = await TestNetwork.create()
    const hal = await network.join('hal')
    await network.node('root').stop()
    await eventually(() => hal.attached.session === undefined)
    await expect(hal.control.rotateIdentity()).rejects.toThrow('no registry answers')
    expect(files(hal)).toEqual([hal.peerId, false])
  })
})
