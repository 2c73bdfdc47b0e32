import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Authority } from '../../../src/dns/authority.ts'
import { Zone } from '../../../src/dns/zone.ts'
import { createKey, loadKey } from '../../../src/identity/key-file.ts'
import { unasked } from '../../../src/node/api/stamp.ts'
import { saveConfigValues } from '../../../src/node/config/index.ts'
import { dataFiles } from '../../../src/node/config/paths.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { type BecomeRootInit, becomeRoot } from '../../../src/node/offline/become-root.ts'
import { createNetworkHere } from '../../../src/node/offline/create-network.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually, type Flags, TestNetwork } from '../../helpers/network.ts'
import { expectSchema } from '../../helpers/schemas.ts'

const passphrase = 'a passphrase of some length'

/** A network whose recovery kit can be opened. */
async function withKit(): Promise<{ network: TestNetwork; kit: string } & AsyncDisposable> {
  const network = new TestNetwork({ 'admission.policy': 'open', 'replication.backoffMax': '2s' })
  const { config } = network.config('root', { role: 'root' })
  const made = await createNetworkHere(config, { newNetwork: true, passphrase })
  network.networkId = made.networkId
  await network.start('root', { role: 'root' })
  return { network, kit: made.recoveryKitPath, [Symbol.asyncDispose]: () => network[Symbol.asyncDispose]() }
}

const promotion = (
  network: TestNetwork,
  name: string,
  kit: string,
  more: Partial<BecomeRootInit> = {}
): BecomeRootInit => ({
  config: network.config(name, { role: 'secondary', 'listen.port': 8123 }).config,
  save: (role) => saveConfigValues(join(network.folder, `${name}.yaml`), role),
  kit: { path: kit, passphrase },
  epoch: { revokeFormer: false },
  apply: true,
  promote: true,
  ...more
})

const has = (node: TrustNode, name: string): boolean => node.registry.replica.state.memberByName(name) !== undefined
const alarmsOf = (node: TrustNode): string[] => node.registry.alarms.list().map(({ code }) => code)
/** Name and digest of each file. */
const filesOf = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(
      ({ name }) =>
        `${name} ${createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex')}`
    )
const epochOf = (node: TrustNode): number => node.registry.replica.head.epoch

// Each has a network of its own, and waits most of the time.
describe.concurrent('a secondary that is promoted', () => {
  it('plans first, then is the root whom everybody follows, and decides over what was queued', async () => {
    await using made = await withKit()
    const { network, kit } = made
    const keeper = await network.join('keeper', { role: 'secondary' })
    const hal = await network.join('hal')
    await eventually(() => keeper.registry.replica.state.registry(keeper.key.publicKey) !== undefined)
    await eventually(() => has(keeper, 'hal'))
    const invite = await network.invite({ role: 'integrated', name: 'late' })
    // The invite is an entry, which is on its way.
    await eventually(() => keeper.registry.replica.head.n === network.node('root').registry.replica.head.n)
    const before = keeper.registry.replica.head
    await network.node('root').stop()
    // It reaches the secondary alone: its join waits in the queue there.
    const late = network.make('late', { 'bootstrap.peers': [network.address('keeper')] })
    late.invites.use(invite)
    await late.start()
    await eventually(() => keeper.registry.admission.queued === 1)
    const { port } = keeper.attached
    const copy = join(network.folder, 'copy.db')
    await keeper.control.backup({ to: copy })
    const { fork } = await becomeRoot(promotion(network, 'keeper', kit, { apply: false, copy }))
    expect(fork).toEqual({ n: before.n, epoch: 0 })
    await keeper.stop()

    const files = filesOf(keeper.config.paths.data)
    const plan = await becomeRoot(promotion(network, 'keeper', kit, { apply: false }))
    expect(filesOf(keeper.config.paths.data)).toEqual(files)
    expectSchema('registry-become-root', unasked(plan))
    expect(plan).toMatchObject({
      applied: false,
      fork: { n: before.n, epoch: 0 },
      epoch: 1,
      queued: 1,
      former: [{ name: 'root' }]
    })
    expect(plan.dns.add).not.toEqual([])
    await expect(
      becomeRoot(promotion(network, 'keeper', kit, { kit: { path: kit, passphrase: 'a wrong passphrase' } }))
    ).rejects.toThrow(/passphrase is wrong/)
    const done = await becomeRoot(promotion(network, 'keeper', kit))
    expectSchema('registry-become-root', unasked(done))
    expect(done).toMatchObject({ applied: true, epoch: 1, revoked: [], admitted: null })
    expect(readFileSync(join(network.folder, 'keeper.yaml'), 'utf8')).toContain('role: root')

    const root = await network.start('keeper', { role: 'root', 'listen.port': port })
    // It may listen for half a minute.
    await eventually(() => root.registry.root?.refusal === undefined)
    await eventually(() => [root, hal, late].every((node) => epochOf(node) === 1 && has(node, 'late')))
    expect(late.attached.isMember()).toBe(true)
    await network.join('new', { 'bootstrap.peers': [network.address('keeper')] })
    await eventually(() => has(hal, 'new'))
    expect([root, hal].flatMap(alarmsOf)).toEqual([])
  })

  it('fences the old root, which hands over what became void', async () => {
    await using made = await withKit()
    const { network, kit } = made
    await network.join('keeper', { role: 'secondary' })
    const [hal, bob] = [await network.join('hal'), await network.join('bob')]
    await eventually(() => has(network.node('keeper'), 'bob'))
    // What happens from here on only the old root knows.
    const { port } = network.node('keeper').attached
    await network.node('keeper').stop()
    const old = network.node('root')
    await network.join('void')
    await old.control.revoke({ peer: 'bob', reason: 'stolen' })
    await old.control.endMember({ peer: 'hal', reason: 'moved' })
    for (const node of [network.node('void'), hal, bob, old]) await node.stop()

    await becomeRoot(promotion(network, 'keeper', kit))
    const root = await network.start('keeper', { role: 'root', 'listen.port': port })
    expect(has(root, 'bob')).toBe(true)
    const back = await network.start('root', { role: 'root', 'bootstrap.peers': [network.address('keeper')] })
    await expect(back.registry.root?.append([])).rejects.toThrow(/listens for newer heads|not the root/)
    await eventually(() => epochOf(back) === 1 && alarmsOf(back).includes('root_replaced'))
    expect(back.registry.root?.refusal?.name).toBe('NotRootError')
    expect((await back.control.status()).sync.message).toMatch(/^nothing is written: /)
    await eventually(async () => (await root.control.voidRevokes()).offered.length === 2)
    // Nothing proves when the old root signed them.
    expect(['bob', 'hal'].map((name) => has(root, name))).toEqual([true, true])
    const waiting = await root.control.voidRevokes()
    expectSchema('registry-void', waiting)
    expect(waiting.offered.map(({ kind, member, from }) => [kind, member.name, from?.name])).toEqual([
      ['revoke', 'bob', 'root'],
      ['end', 'hal', 'root']
    ])
    await root.control.endMember({ peer: 'hal', reason: 'moved' })
    await root.control.revoke({ peer: 'bob', reason: 'stolen' })
    expect((await root.control.voidRevokes()).offered).toEqual([])
    expect(root.registry.replica.state.isRevoked(bob.key.publicKey)).toBe(true)
    await eventually(() => root.registry.admission.pending().some(({ name }) => name === 'void'))
    await eventually(() => back.registry.replica.head.n === root.registry.replica.head.n)

    await back.stop()
    const again = await network.start('root', { role: 'root', 'bootstrap.peers': [network.address('keeper')] })
    expect(again.config.role).toBe('secondary')
    expect(again.registry.root).toBeUndefined()
    await again.joined({ signal: AbortSignal.timeout(ceilingMs) })
    await root.control.approve({ peer: 'void' })
    await eventually(() => has(again, 'void'))
    expect([root, again].flatMap(alarmsOf)).toEqual(['void_revokes', 'root_replaced'])
  })

  it('may be the machine that was the root once, whose old log key decides nothing', async () => {
    await using made = await withKit()
    const { network, kit } = made
    await network.join('keeper', { role: 'secondary' })
    await eventually(() => network.node('keeper').registry.replica.state.memberCount === 2)
    const [root, keeper] = [network.node('root'), network.node('keeper')]
    const ports = [root.attached.port, keeper.attached.port]
    await Promise.all([root.stop(), keeper.stop()])
    await becomeRoot(promotion(network, 'keeper', kit))
    // With the key of epoch 0 still in its folder, and the log of the other one within reach.
    await network.start('keeper', { role: 'root', 'listen.port': ports[1] })
    const peers = { 'bootstrap.peers': [network.address('keeper')] }
    const { config } = network.config('root', { role: 'root', ...peers })
    const back = await becomeRoot(promotion(network, 'root', kit, { config }))
    expect(back).toMatchObject({ epoch: 2, former: [{ name: 'keeper' }] })
    const again = await network.start('root', { role: 'root', 'listen.port': ports[0], ...peers })
    await eventually(() => again.registry.root?.refusal === undefined)
    const former = network.node('keeper')
    await eventually(() => epochOf(former) === 2 && alarmsOf(former).includes('root_replaced'))
    await expect(former.control.invite({ role: 'integrated' })).rejects.toThrow(/only the root|made the root/)
    await expect(former.registry.admission.invite({ role: 'integrated' })).rejects.toThrow(
      /another machine was made the root/
    )
    former.housekeeping?.checkKeys()
    expect(alarmsOf(former)).not.toContain('key_gone')

    await Promise.all([again.stop(), former.stop()])
    await becomeRoot(promotion(network, 'keeper', kit))
    const { alarms } = (await network.start('keeper', { role: 'root', 'listen.port': ports[1] })).registry
    expect(alarms.list()).toContainEqual(expect.objectContaining({ code: 'root_replaced', acknowledged: true }))
  })

  it('goes on after each step at which it was broken off, and has the log key of the epoch then', async () => {
    await using made = await withKit()
    const { network, kit } = made
    const keeper = await network.join('keeper', { role: 'secondary' })
    await eventually(() => keeper.registry.replica.state.registry(keeper.key.publicKey) !== undefined)
    await network.node('root').stop()
    const { port } = keeper.attached
    await keeper.stop()
    const { logKey } = dataFiles(keeper.config.paths.data)
    const run = (more: Partial<BecomeRootInit> = {}) => becomeRoot(promotion(network, 'keeper', kit, more))
    // A key was made, and no epoch begun with it.
    createKey(`${logKey}.next`)
    // The epoch is begun, and its key cannot take its place.
    mkdirSync(logKey)
    await expect(run()).rejects.toMatchObject({ code: 'EISDIR' })
    rmdirSync(logKey)
    const begun = loadKey(`${logKey}.next`).publicKey
    // The key has its place, and the role cannot be written.
    const full = new Error('no space left')
    const save = () => {
      throw full
    }
    await expect(run({ save })).rejects.toBe(full)
    expect(loadKey(logKey).publicKey).toEqual(begun)
    const { epoch } = await run()
    const again = await network.start('keeper', { role: 'root', 'listen.port': port })
    await eventually(() => again.registry.root?.refusal === undefined)
    const { keys } = again.registry.replica.state
    expect(keys.epoch).toBe(epoch)
    expect(keys.isKeyOf(epoch, loadKey(logKey).publicKey)).toBe(true)
    expect(existsSync(`${logKey}.next`)).toBe(false)
    expect((await again.control.invite({ role: 'integrated' })).line).toMatch(/^tn/)
  })
})

describe.concurrent('a network whose root is lost', () => {
  const recovery = (
    network: TestNetwork,
    name: string,
    kit: string,
    flags: Flags,
    more: Partial<BecomeRootInit> = {}
  ) => ({
    ...promotion(network, name, kit),
    config: network.config(name, { role: 'root', ...flags }).config,
    promote: false,
    ...more
  })

  it('is recovered on a new machine from what its members hold', async () => {
    await using made = await withKit()
    const { network, kit } = made
    const [hal, bob] = [await network.join('hal'), await network.join('bob')]
    await network.join('ann')
    await eventually(() => has(hal, 'ann'))
    await network.node('root').stop()
    const n = Math.max(...[hal, bob].map(({ registry }) => registry.replica.head.n))
    const flags = { 'bootstrap.peers': [network.address('hal'), network.address('bob')] }
    const plan = await becomeRoot(recovery(network, 'fresh', kit, flags, { apply: false }))
    expect(plan).toMatchObject({ applied: false, fork: { n }, epoch: 1, admitted: 'fresh' })
    expect(existsSync(network.config('fresh', { role: 'root' }).config.paths.data)).toBe(false)
    const done = await becomeRoot(recovery(network, 'fresh', kit, flags))
    expectSchema('registry-become-root', unasked(done))
    expect(done).toMatchObject({ fork: { n }, epoch: 1, admitted: 'fresh', former: [{ name: 'root' }] })
    expect(done.sources.filter(({ error }) => error === null).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['hal', 'bob'])
    )
    const root = await network.start('fresh', { role: 'root', ...flags })
    // It may listen for half a minute.
    await eventually(() => root.registry.root?.refusal === undefined)
    await eventually(() => [hal, bob].every((node) => epochOf(node) === 1 && has(node, 'fresh')))
    await network.join('new', { 'bootstrap.peers': [network.address('fresh')] })
    await eventually(() => has(hal, 'new'))
  })

  it('is found by its new root behind tnr, whichever key the first contact was pinned to', async () => {
    await using made = await withKit()
    const { network, kit } = made
    const old = network.node('root')
    const pinned = { 'network.pins': [old.peerId] }
    const hal = await network.join('hal', pinned)
    const bob = await network.join('bob')
    await eventually(() => has(hal, 'bob') && has(bob, 'hal'))
    await Promise.all([hal.stop(), old.stop()])
    const flags = { 'bootstrap.peers': [network.address('bob')] }
    await becomeRoot(recovery(network, 'fresh', kit, flags))
    await bob.stop()
    const root = await network.start('fresh', { role: 'root' })
    const zone = new Zone('net.test')
    zone.set('tnr.net.test', [{ type: 'AAAA', value: '::1' }])
    await using dns = await Authority.start(zone)
    // All that it knows is gone, and the machine behind the name has another key than the one that let it in.
    const back = await network.start('hal', {
      ...pinned,
      'bootstrap.dnsServers': [`[::1]:${dns.port}`],
      'bootstrap.port': root.attached.port
    })
    await eventually(() => epochOf(back) === 1 && back.network?.session?.peer.name === 'fresh')
  })

  it('is recovered from a backup and a member that holds more', async () => {
    await using made = await withKit()
    const { network, kit } = made
    const hal = await network.join('hal')
    const backup = join(network.folder, 'backup.db')
    await network.node('root').control.backup({ to: backup })
    await network.join('bob')
    await eventually(() => has(hal, 'bob'))
    await network.node('root').stop()
    // With the name of the root that is lost it takes that one's place.
    const other = new TestNetwork()
    other.networkId = network.networkId
    const init = recovery(other, 'root', kit, { 'bootstrap.peers': [network.address('hal')] }, { backup })
    const done = await becomeRoot(init)
    expect(done).toMatchObject({
      epoch: 1,
      admitted: 'root',
      revoked: [{ name: 'root' }],
      fork: { n: hal.registry.replica.head.n }
    })
    const root = await other.start('root', { role: 'root', 'bootstrap.peers': [network.address('hal')] })
    await eventually(() => epochOf(hal) === 1 && has(root, 'bob'))
    await other[Symbol.asyncDispose]()
  })

  it('is not recovered with the kit of another network, nor without anybody who knows it', async () => {
    await using made = await withKit()
    await using another = await withKit()
    const keeper = await made.network.join('keeper', { role: 'secondary' })
    await keeper.stop()
    await expect(becomeRoot(promotion(made.network, 'keeper', another.kit))).rejects.toThrow(
      /recovery kit does not hold the authority/
    )
    const damaged = join(made.network.folder, 'damaged.kit')
    writeFileSync(damaged, '{}')
    await expect(becomeRoot(promotion(made.network, 'keeper', damaged))).rejects.toThrow(/no recovery kit/)
  })
})
