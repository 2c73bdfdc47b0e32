import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadKey } from '../../../src/identity/key-file.ts'
import { SigningKey } from '../../../src/identity/keys.ts'
import { unasked } from '../../../src/node/api/stamp.ts'
import { dataFiles } from '../../../src/node/config/paths.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { verifyProofAt } from '../../../src/node/offline/stopped-store.ts'
import { readStoredEntry } from '../../../src/registry/log/state/stored-entry.ts'
import { sealEntry } from '../../../src/registry/objects/entry.ts'
import type { LogItem } from '../../../src/registry/store/log-rows.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { expectSchema } from '../../helpers/schemas.ts'

const has = (node: TrustNode, name: string): boolean => node.registry.replica.state.memberByName(name) !== undefined
const alarmOf = (node: TrustNode, code: string) => node.registry.alarms.list().find((alarm) => alarm.code === code)

/** A secondary that has two entries more than hal, and tells of them what `lie` makes of them; then hal comes back and asks it alone. */
async function lied(network: TestNetwork, lie: (items: LogItem[]) => LogItem[]): Promise<() => void> {
  const keeper = await network.join('keeper', { role: 'secondary' })
  const hal = await network.join('hal')
  await eventually(
    () => has(keeper, 'hal') && keeper.registry.replica.state.registry(keeper.key.publicKey) !== undefined
  )
  await eventually(() => hal.registry.replica.head.n === keeper.registry.replica.head.n)
  await hal.stop()
  for (const name of ['ann', 'bob']) await network.join(name).then(async (node) => await node.stop())
  await eventually(() => has(keeper, 'bob'))
  await network.node('root').stop()
  const { replica } = keeper.registry
  const honest = replica.read.bind(replica)
  replica.read = (afterN, limitBytes) => lie(honest(afterN, limitBytes))
  await network.start('hal', { 'bootstrap.peers': [network.address('keeper')] })
  return () => {
    replica.read = honest
  }
}

describe('a registry that lies', () => {
  it.each([
    ['an edited entry', (items: LogItem[]) => items.map((item, at) => (at === 0 ? edited(item) : item))],
    ['a log without one of its entries', (items: LogItem[]) => items.slice(1)]
  ])('is named, and nothing of it is taken: %s', async (_what, lie) => {
    await using network = await TestNetwork.create({ 'replication.backoffMax': '2s' })
    const stopLying = await lied(network, lie)
    const hal = network.node('hal')
    const before = hal.registry.replica.head.n
    await eventually(() => alarmOf(hal, 'lying_source') !== undefined)
    expect(alarmOf(hal, 'lying_source')).toMatchObject({ fields: { peer: network.node('keeper').peerId } })
    expect(hal.registry.replica.head.n).toBe(before)
    stopLying()
    await eventually(() => has(hal, 'ann') && has(hal, 'bob'))
  })

  it('is named for a snapshot that is older than what is held', async () => {
    await using network = await TestNetwork.create({ 'replication.backoffMax': '2s' })
    const before = network.node('root').registry.replica.checkpoint
    await lied(network, (items) => items)
    const [hal, keeper] = [network.node('hal'), network.node('keeper')]
    await eventually(() => has(hal, 'bob'))
    await hal.stop()
    const { replica } = keeper.registry
    replica.resumePoint = () => ({ mode: 'snapshot' })
    Object.defineProperty(replica, 'checkpoint', { get: () => before, configurable: true })
    const again = await network.start('hal', { 'bootstrap.peers': [network.address('keeper')] })
    const { n } = again.registry.replica.head
    await eventually(() => alarmOf(again, 'lying_source') !== undefined)
    expect(alarmOf(again, 'lying_source')).toMatchObject({ fields: { peer: keeper.peerId } })
    expect(alarmOf(again, 'lying_source')?.message).toContain('an older snapshot')
    expect(again.registry.replica.head.n).toBe(n)
    expect(has(again, 'bob')).toBe(true)
  })

  it('is named when it stands still while the log goes on, and what it holds back comes from others', async () => {
    await using network = await TestNetwork.create({ 'replication.interval': '4s' })
    const root = network.node('root')
    const keeper = await network.join('keeper', { role: 'secondary' })
    const hal = await network.join('hal', { 'bootstrap.peers': [network.address('keeper')] })
    await eventually(() => hal.attached.sync?.subscriptions.some(({ name }) => name === 'keeper') === true)
    const stale = (node: TrustNode) => alarmOf(node, 'stale_source')
    const signsFor = async (until: () => boolean): Promise<void> =>
      await eventually(async () => {
        await root.registry.root?.checkpoint()
        return until()
      })
    const started = performance.now()
    await signsFor(() => performance.now() - started > 6_000)
    expect([root, hal].map(stale)).toEqual([undefined, undefined])

    const { replica } = keeper.registry
    const frozen = replica.checkpoint
    replica.read = () => []
    Object.defineProperty(replica, 'checkpoint', { get: () => frozen, configurable: true })
    await network.join('ann')
    // Whoever has its news of the keeper alone is behind with it for a while, and may be named before.
    const isNamed = (node: TrustNode): boolean => stale(node)?.fields['peer'] === keeper.peerId
    await signsFor(() => has(hal, 'ann') && [root, hal].every(isNamed))
    expect(alarmOf(hal, 'lying_source')).toBeUndefined()
  })

  it('proves itself with a second entry for one number, and the proof holds without any store', async () => {
    await using network = await TestNetwork.create({ 'replication.backoffMax': '2s' })
    const { config, registry } = network.node('root')
    const logKey = loadKey(dataFiles(config.paths.data).logKey)
    const { networkId } = registry
    // What a thief of the log key makes a registry tell.
    const another = ({ n, envelope }: LogItem): LogItem => {
      const { epoch, prevHash, kind } = readStoredEntry(envelope).value
      if (kind !== 'admit' || n < network.node('keeper').registry.replica.head.n) return { n, envelope }
      const body = { publicKey: SigningKey.generate().publicKey, reason: 'another history' }
      const content = { networkId, n, epoch, prevHash, timeMs: Date.now(), kind: 'revoke' as const, body }
      return { n, envelope: sealEntry(content, logKey).bytes }
    }
    await lied(network, (items) => items.map(another))
    const [hal, keeper] = [network.node('hal'), network.node('keeper')]
    const { n, epoch } = keeper.registry.replica.head
    await eventually(() => alarmOf(hal, 'log_fork') !== undefined)
    expect(hal.registry.replica.isForked).toBe(true)
    // Nobody else is named; nobody at all where the checkpoint that contradicts came as gossip, of which no carrier is known.
    expect([keeper.peerId, undefined]).toContain(alarmOf(hal, 'lying_source')?.fields['peer'])
    const { data } = hal.config.paths
    const file = readdirSync(data).find((name) => name.endsWith('.proof.json')) ?? ''
    expect(alarmOf(hal, 'log_fork')?.message).toContain(join(data, file))
    const proof = verifyProofAt(join(data, file))
    expectSchema('registry-verify-proof', unasked(proof))
    expect(proof).toMatchObject({ epoch, n, network: { domain: 'net.test' } })
    const changed = JSON.parse(readFileSync(join(data, file), 'utf8'))
    writeFileSync(join(data, 'none.json'), JSON.stringify({ ...changed, one: changed.other }))
    expect(() => verifyProofAt(join(data, 'none.json'))).toThrow(/prove nothing/)
    writeFileSync(join(data, 'none.json'), JSON.stringify({ ...changed, genesis: changed.one }))
    expect(() => verifyProofAt(join(data, 'none.json'))).toThrow(/genesis/)
  })
})

function edited({ n, envelope }: LogItem): LogItem {
  const copy = Uint8Array.from(envelope)
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1
  return { n, envelope: copy }
}
