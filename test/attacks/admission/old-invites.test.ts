import { cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { loadKey } from '../../../src/identity/key-file.ts'
import { SigningKey } from '../../../src/identity/keys.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { becomeRoot } from '../../../src/node/offline/become-root.ts'
import { newGrantId } from '../../../src/registry/objects/grant.ts'
import { decodeInvite, encodeInvite, type Invite, type InviteGrant } from '../../../src/registry/objects/invite.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { KitNetwork } from '../../helpers/registry/kit-network.ts'
import { attack, control } from '../attack.ts'

const inviteOnly = { 'admission.policy': 'invite' }
const hour = 3_600_000

const joined = (node: TrustNode): boolean => node.network?.isMember() === true

/** What a new machine is told that has this invite and knows the address; `let in` when it became a member. */
async function outcomeOf(network: KitNetwork, name: string, invite: Invite, address: string): Promise<string> {
  const node = network.make(name, { networkId: undefined, 'bootstrap.peers': [address], role: invite.grant.role })
  node.invites.use({ ...invite, registries: [] })
  await node.start()
  const said = (): string | undefined =>
    joined(node) ? 'let in' : (node.network?.trouble?.name ?? node.discoveryFailures[0]?.error.message)
  await eventually(() => said() !== undefined && said() !== 'NoCandidateError')
  const outcome = said() ?? ''
  await node.stop('it was told')
  return outcome
}

const lineOf = (network: TestNetwork, grant: InviteGrant, inviteKey: SigningKey): Invite =>
  decodeInvite(
    encodeInvite({
      domain: 'net.test',
      networkId: network.node('root').registry.networkId,
      registries: [],
      grant,
      inviteKey
    })
  )

/** A network whose log key was stolen, and that was recovered on a new machine; the old root's machine is off. */
async function recovered(): Promise<{ network: KitNetwork; root: TrustNode; old: Invite }> {
  const network = await KitNetwork.create(inviteOnly)
  const hal = network.make('hal', { 'bootstrap.peers': [network.address('root')] })
  hal.invites.use(await network.invite({ role: 'integrated' }))
  await hal.start()
  await hal.joined({ signal: AbortSignal.timeout(ceilingMs) })
  const old = await network.invite({ role: 'integrated', uses: 5 })
  await eventually(() => hal.registry.replica.head.n === network.node('root').registry.replica.head.n)
  await network.node('root').stop()
  const flags = { 'bootstrap.peers': [network.address('hal')] }
  await becomeRoot(network.recovery('fresh', flags))
  const root = await network.start('fresh', { role: 'root', ...flags })
  root.registry.root?.release()
  return { network, root, old }
}

/** A root recovered from right below the entry by which an invite was taken back; another one was left alone. */
async function recoveredBelowCancel(): Promise<{ network: KitNetwork; cancelled: Invite; open: Invite }> {
  const network = await KitNetwork.create({ ...inviteOnly, 'bootstrap.peers': [] })
  const root = network.node('root')
  const open = await network.invite({ role: 'integrated' })
  const cancelled = await network.invite({ role: 'integrated' })
  const { n } = root.registry.replica.head
  await root.registry.admission.cancelInvite(Buffer.from(cancelled.grant.id).toString('hex'), 'the line leaked')
  const backup = join(network.folder, 'after-cancel.db')
  await root.control.backup({ to: backup })
  await root.stop()
  await becomeRoot(network.recovery('fresh', {}, { backup, epoch: { revokeFormer: false, fromN: n } }))
  const fresh = await network.start('fresh', { role: 'root' })
  fresh.registry.root?.release()
  return { network, cancelled, open }
}

/** The machine of the old root, with all that it had, cut off from everybody who knows better. */
async function thiefOf(network: KitNetwork): Promise<TrustNode> {
  await Promise.all(['fresh', 'hal'].map((name) => network.node(name).stop()))
  const thief = await network.start('root', { role: 'root' })
  thief.registry.root?.release()
  return thief
}

describe('an invite', () => {
  attack('an invite of 100,000 uses that the log key of an older epoch made', async () => {
    const { network, root } = await recovered()
    await using _ = network
    const key = loadKey(network.logKey('root'))
    expect(root.registry.replica.state.keys.isKeyOf(0, key.publicKey)).toBe(true)
    const inviteKey = SigningKey.generate()
    const body = {
      id: newGrantId(),
      inviteKey: inviteKey.publicKey,
      role: 'secondary' as const,
      groups: [],
      uses: 100_000,
      notAfterMs: Date.now() + 20 * 24 * hour,
      note: ''
    }
    const hash = new Uint8Array(32)
    const forged = lineOf(network, { ...body, epoch: 0, n: 3, hash }, inviteKey)
    const answers = [await outcomeOf(network, 'evil', forged, network.address('fresh'))]
    const before = root.registry.replica.head.n
    expect(answers).toEqual(['InviteInvalidError'])
    expect(root.registry.replica.state.memberByName('evil')).toBeUndefined()
    expect(root.registry.replica.head.n).toBe(before)
    return {
      happened: `a grant of 100,000 uses by the old key: ${answers.join()}; 0 admitted`,
      held: 'an invite admits while it stands in the live log: nothing that a key signs beside it counts'
    }
  })

  control('of the old root that stands below the fork goes on admitting at the new one', async () => {
    const { network, root, old } = await recovered()
    await using _ = network
    expect(await outcomeOf(network, 'late', old, network.address('fresh'))).toBe('let in')
    expect(root.registry.replica.state.grant(old.grant.id)?.taken).toBe(1)
  })

  attack(
    'a newcomer whom the new root invited meets the old root, which takes the invite over into its history',
    async () => {
      const { network } = await recovered()
      await using _ = network
      const { grant, inviteKey } = await network.node('fresh').registry.admission.invite({ role: 'integrated' })
      const thief = await thiefOf(network)
      const { epoch: _epoch, n: _n, hash: _hash, ...body } = grant
      await thief.registry.root?.append([{ kind: 'grant', body }], { byOperator: true })
      const said = await outcomeOf(network, 'new', lineOf(network, grant, inviteKey), network.address('root'))
      expect(said).toContain('older than the invite')
      expect(thief.registry.replica.state.memberByName('new')).toBeUndefined()
      return {
        happened: `the old root, alone in reach: "${said}"; it was shown no join request`,
        held: 'an invite says in which epoch it was made: a history that does not reach it is not followed'
      }
    }
  )

  control('of the old root itself is followed into its history', async () => {
    const { network, old } = await recovered()
    await using _ = network
    await thiefOf(network)
    expect(await outcomeOf(network, 'new', old, network.address('root'))).toBe('let in')
  })
})

describe('an invite that was taken back above the place from which a root is recovered', () => {
  attack('is used by whoever has its line', async () => {
    const { network, cancelled } = await recoveredBelowCancel()
    await using _ = network
    const said = await outcomeOf(network, 'evil', cancelled, network.address('fresh'))
    expect(said).toMatch(/Invite/)
    expect(network.node('fresh').registry.replica.state.memberByName('evil')).toBeUndefined()
    return {
      happened: `the entry that took it back is void: ${said}; 0 admitted`,
      held: 'the new root takes back again what was taken back above the fork'
    }
  })

  control('the one beside it, which nobody took back, lets in', async () => {
    const { network, open } = await recoveredBelowCancel()
    await using _ = network
    expect(await outcomeOf(network, 'late', open, network.address('fresh'))).toBe('let in')
  })
})

/** The machine of the root and a copy of its disk, which sign one epoch apart, and an invite of the right one. */
async function twoRoots() {
  const network = await TestNetwork.create(inviteOnly)
  const folderOf = (name: string): string => network.config(name, { role: 'root' }).config.paths.data
  await network.node('root').stop()
  cpSync(folderOf('root'), folderOf('twin'), { recursive: true })
  const root = await network.start('root', { role: 'root' })
  await root.registry.root?.released
  const { grant, inviteKey } = await root.registry.admission.invite({ role: 'integrated' })
  const { epoch: _epoch, n, hash: _hash, ...body } = grant
  const invite = lineOf(network, grant, inviteKey)
  await root.stop()
  const twin = await network.start('twin', { role: 'root' })
  await twin.registry.root?.released
  const [entry] = (await twin.registry.root?.append([{ kind: 'grant', body }], { byOperator: true })) ?? []
  expect(entry?.value.n).toBe(n)
  return { network, invite }
}

attack(
  'a newcomer is led to a copy of the root that signs another history, and tries again at the right one',
  async () => {
    const { network, invite } = await twoRoots()
    await using _ = network
    const start = async (at: string): Promise<TrustNode> => {
      const node = network.make('new', { networkId: undefined, 'bootstrap.peers': [network.address(at)] })
      node.invites.use({ ...invite, registries: [] })
      await node.start()
      return node
    }
    const misled = await start('twin')
    await eventually(() => misled.network?.registry.alarms.list().some(({ code }) => code === 'other_history') === true)
    expect(joined(misled)).toBe(false)
    await Promise.all([misled.stop(), network.node('twin').stop()])
    const root = await network.start('root', { role: 'root' })
    const again = await start('root')
    await again.joined({ signal: AbortSignal.timeout(ceilingMs) })
    expect(root.registry.replica.state.memberByName('new')).toBeDefined()
    const kept = readdirSync(again.config.paths.data).filter((name) => name.includes('.other-'))
    expect(kept.length).toBeGreaterThan(0)
    return {
      happened:
        'the other history was seen by the hash of its invite and not joined; the same invite let it in at the root',
      held: 'a store of another history than that of the invite is put aside at the next start with an invite'
    }
  }
)

attack('a member is started with an invite of its network that somebody has made up', async () => {
  await using network = await TestNetwork.create(inviteOnly)
  const { grant, inviteKey } = await network.node('root').registry.admission.invite({ role: 'integrated' })
  const flags = { 'bootstrap.peers': [network.address('root')] }
  const first = network.make('hal', flags)
  first.invites.use(lineOf(network, grant, inviteKey))
  await first.start()
  await first.joined({ signal: AbortSignal.timeout(ceilingMs) })
  await first.stop()
  const started = async (invite: Invite): Promise<TrustNode> => {
    const node = network.make('hal', flags)
    node.invites.use({ ...invite, registries: [] })
    await node.start()
    return node
  }
  const madeUp = lineOf(network, { ...grant, hash: new Uint8Array(32) }, SigningKey.generate())
  const member = await started(madeUp)
  await member.joined({ signal: AbortSignal.timeout(ceilingMs) })
  // An entry, at which a log is compared with the invite.
  await network.node('root').registry.admission.invite({ role: 'integrated' })
  const { head } = network.node('root').registry.replica
  await eventually(() => member.registry.replica.head.n === head.n)
  expect([joined(member), member.registry.alarms.list()]).toEqual([true, []])
  return {
    happened: 'it goes on as a member, with 0 alarms; the invite is not used',
    held: 'an invite is compared with the log until a node is a member by the history that invited it, and never again'
  }
})

control('the same hash of another entry is an alarm for a newcomer, who does not join', async () => {
  await using network = await TestNetwork.create(inviteOnly)
  const { grant, inviteKey } = await network.node('root').registry.admission.invite({ role: 'integrated' })
  const newcomer = network.make('new', { networkId: undefined, 'bootstrap.peers': [network.address('root')] })
  const wrong = lineOf(network, { ...grant, hash: new Uint8Array(32) }, inviteKey)
  newcomer.invites.use({ ...wrong, registries: [] })
  await newcomer.start()
  const alarms = () => newcomer.network?.registry.alarms.list().map(({ code }) => code) ?? []
  await eventually(() => alarms().includes('other_history'))
  expect(joined(newcomer)).toBe(false)
})

control('the right invite lets in, and nothing is put aside', async () => {
  await using network = await TestNetwork.create(inviteOnly)
  const { grant, inviteKey } = await network.node('root').registry.admission.invite({ role: 'integrated' })
  const newcomer = network.make('new', { networkId: undefined, 'bootstrap.peers': [network.address('root')] })
  newcomer.invites.use({ ...lineOf(network, grant, inviteKey), registries: [] })
  await newcomer.start()
  await newcomer.joined({ signal: AbortSignal.timeout(ceilingMs) })
  expect(readdirSync(newcomer.config.paths.data).filter((name) => name.includes('.other-'))).toEqual([])
})
