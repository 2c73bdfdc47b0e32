import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TrustNode } from '../../../src/node/node.ts'
import { createNetworkHere } from '../../../src/node/offline/create-network.ts'
import { type Ran, runProgram } from '../../helpers/built-program.ts'
import { WallClock } from '../../helpers/faults/wall-clock.ts'
import { spawnNode } from '../../helpers/hosts/node-process.ts'
import { eventually, TestNetwork, type TestNetworkOptions } from '../../helpers/network.ts'
import { expectSchema } from '../../helpers/schemas.ts'
import { tempFolder } from '../../helpers/temp.ts'

const passphrase = 'a passphrase of some length'
const scratch = tempFolder()
let home = ''

beforeAll(() => {
  writeFileSync(join(scratch.path, 'passphrase'), passphrase, { mode: 0o600 })
})
afterAll(() => scratch[Symbol.dispose]())

/** A network whose recovery kit can be opened. */
async function withKit(
  options: TestNetworkOptions = {}
): Promise<{ network: TestNetwork; kit: string } & AsyncDisposable> {
  const network = new TestNetwork({ 'admission.policy': 'open', 'replication.backoffMax': '2s' }, options)
  const { config } = network.config('root', { role: 'root' })
  const made = await createNetworkHere(config, { newNetwork: true, passphrase })
  network.networkId = made.networkId
  await network.start('root', { role: 'root' })
  home = mkdtempSync(join(scratch.path, 'home-'))
  const dispose = async (): Promise<void> => {
    await network[Symbol.asyncDispose]()
    rmSync(home, { recursive: true, force: true })
  }
  return { network, kit: made.recoveryKitPath, [Symbol.asyncDispose]: dispose }
}

/** The command in a process of its own, on a machine that has nothing but the kit. */
const revoke = (...argv: string[]): Promise<Ran> =>
  runProgram(['revoke', ...argv, '--json', '--domain', 'net.test'], {
    TRUSTNET_HOME: home,
    TRUSTNET_BOOTSTRAP_DNSSERVERS: '[::1]:1',
    TRUSTNET_BOOTSTRAP_DNSTIMEOUT: '500ms',
    TRUSTNET_RECOVERY_PASSPHRASE_FILE: join(scratch.path, 'passphrase')
  })

const isShutOut = (node: TrustNode, key: Uint8Array): boolean => node.registry.replica.state.isRevoked(key)
const inLog = (node: TrustNode, key: Uint8Array): number | undefined => node.registry.replica.state.revoked(key)?.n
const isConnected = (node: TrustNode, peerId: string): boolean =>
  node.libp2p.getConnections().some(({ remotePeer }) => remotePeer.toString() === peerId)
const keyOf = (node: TrustNode, name: string): Uint8Array => {
  const member = node.registry.replica.state.memberByName(name)
  if (member === undefined) throw new Error(`${name} is no member`)
  return member.publicKey
}

describe('a revoke by the authority', () => {
  it('holds everywhere at once while the root is away, and is in its log when it is back', async () => {
    await using made = await withKit()
    const { network, kit } = made
    const keeper = await network.join('keeper', { role: 'secondary' })
    const hal = await network.join('hal')
    await using bad = await spawnNode(network, 'bad')
    await eventually(() => [keeper, hal].every((node) => isConnected(node, bad.peerId)))
    await network.node('root').stop()
    const key = keyOf(keeper, 'bad')
    await eventually(() => hal.network?.session?.peer.name === 'keeper')

    const ran = await revoke('bad', '--kit', kit, '--peer', network.address('keeper'), '--reason', 'stolen')
    expect(ran).toMatchObject({ code: 0 })
    const view = JSON.parse(ran.out)
    expectSchema('revoke-authority', view)
    expect(view).toMatchObject({ peerId: bad.peerId, name: 'bad', entry: null, told: 1, kept: false, isRoot: false })
    await eventually(() => isShutOut(keeper, key))
    // Nobody but the secondary was told.
    await eventually(() => isShutOut(hal, key))
    await eventually(() => ![keeper, hal].some((node) => isConnected(node, bad.peerId)))
    expect([keeper, hal].map((node) => inLog(node, key))).toEqual([undefined, undefined])
    expect((await hal.control.why({ peer: 'bad' })).summary).toContain('shut out for ever')
    expect((await hal.control.peers({})).peers.map(({ name }) => name)).not.toContain('bad')

    const root = await network.start('root', { role: 'root', 'bootstrap.peers': [network.address('keeper')] })
    await eventually(() => [root, keeper, hal].every((node) => inLog(node, key) !== undefined))
    expect([root, keeper, hal].flatMap((node) => node.registry.replica.authorityRevocations.revokes())).toEqual([])
    const again = await revoke('bad', '--kit', kit, '--peer', network.address('keeper'))
    expect(again.code).toBe(4)
    const byId = await revoke(bad.peerId, '--kit', kit, '--peer', network.address('keeper'))
    expect(JSON.parse(byId.out)).toMatchObject({ entry: inLog(root, key), told: 0 })
  })

  it('that one node was told goes up to the root, over restarts of that node', async () => {
    await using made = await withKit()
    const { network, kit } = made
    const hal = await network.join('hal')
    const bad = await network.join('bad')
    await eventually(() => hal.registry.replica.isMember(bad.key.publicKey))
    await network.node('root').stop()
    const ran = await revoke('bad', '--kit', kit, '--peer', network.address('hal'))
    expect(ran).toMatchObject({ code: 0 })
    await hal.stop()
    const root = await network.start('root', { role: 'root' })
    const again = await network.start('hal', { 'bootstrap.peers': [network.address('root')] })
    expect(isShutOut(again, bad.key.publicKey)).toBe(true)
    await eventually(() => inLog(root, bad.key.publicKey) !== undefined)
    await eventually(() => inLog(again, bad.key.publicKey) !== undefined)
  })

  it('that nobody can be told is kept, and told when the node of that machine starts', async () => {
    await using made = await withKit()
    const { network, kit } = made
    const root = network.node('root')
    const hal = await network.join('hal')
    const bad = await network.join('bad')
    await eventually(() => hal.registry.replica.isMember(bad.key.publicKey))
    for (const node of [hal, bad, root]) await node.stop()
    const { data } = hal.config.paths
    writeFileSync(join(home, 'hal.yaml'), `domain: net.test\nname: hal\npaths:\n  data: ${data}\n`)
    const ran = await revoke('bad', '--kit', kit, '--config', join(home, 'hal.yaml'))
    expect(ran).toMatchObject({ code: 7 })
    expect(ran.err).toContain('No member could be told')
    expect(JSON.parse(ran.out)).toMatchObject({ told: 0, kept: true })
    const back = await network.start('root', { role: 'root' })
    await network.start('hal', { 'bootstrap.peers': [network.address('root')] })
    await eventually(() => inLog(back, bad.key.publicKey) !== undefined)
  })

  it('that the root holds back is in force all the same, and the root is named', async () => {
    const clock = new WallClock()
    await using made = await withKit({ clock })
    const { network, kit } = made
    const root = network.node('root')
    const keeper = await network.join('keeper', { role: 'secondary' })
    const bad = await network.join('bad')
    await eventually(() => keeper.registry.replica.isMember(bad.key.publicKey))
    // A root in wrong hands says yes to all, and enters nothing.
    root.registry.replica.authorityRevocations.enforce = () => Promise.resolve(false)
    root.registry.admission.reissueEntry = () => Promise.resolve({ entry: new Uint8Array() })
    const peers = ['--peer', network.address('keeper'), '--peer', network.address('root')]
    const ran = await revoke('bad', '--kit', kit, ...peers)
    expect(JSON.parse(ran.out)).toMatchObject({ told: 2 })
    await eventually(() => isShutOut(keeper, bad.key.publicKey))
    const alarm = () => keeper.registry.alarms.list().find(({ code }) => code === 'revoke_missing')
    for (const seconds of [1, 60, 61]) {
      expect(alarm()).toBeUndefined()
      clock.add(seconds * 1_000)
      const signed = await root.registry.root?.checkpoint()
      await eventually(() => keeper.registry.replica.checkpoint?.value.timeMs === signed?.value.timeMs)
    }
    expect(alarm()).toMatchObject({ fields: { peer: bad.peerId, root: root.peerId } })
    expect(isShutOut(keeper, bad.key.publicKey)).toBe(true)
    expect(inLog(keeper, bad.key.publicKey)).toBeUndefined()
  })

  it('needs the kit of this network', async () => {
    await using another = await withKit()
    await using made = await withKit()
    const { network, kit } = made
    const unknown = await revoke('nobody', '--kit', kit, '--peer', network.address('root'))
    expect(unknown).toMatchObject({ code: 4 })
    const hal = await network.join('hal')
    await hal.stop()
    const { data } = hal.config.paths
    writeFileSync(join(home, 'hal.yaml'), `domain: net.test\nname: hal\npaths:\n  data: ${data}\n`)
    const wrong = await revoke('root', '--kit', another.kit, '--config', join(home, 'hal.yaml'))
    expect(wrong).toMatchObject({ code: 2 })
    expect(wrong.err).toContain('recovery kit of another network')
    const none = await revoke('root', '--kit', join(home, 'none.kit'))
    expect(none).toMatchObject({ code: 2 })
  })
})
