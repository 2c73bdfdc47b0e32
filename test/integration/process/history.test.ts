import { describe, expect, it } from 'vitest'
import type { HappeningRow } from '../../../src/node/api/control-api.ts'
import { dataFiles } from '../../../src/node/config/paths.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { openReadOnly } from '../../../src/registry/store/database.ts'
import { HistoryTable } from '../../../src/registry/store/history-table.ts'
import { spawnNode } from '../../helpers/hosts/node-process.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { viewOf } from '../../helpers/network-views.ts'
import { expectSchema } from '../../helpers/schemas.ts'

const eventsOf = async (node: TrustNode, peer?: string): Promise<HappeningRow[]> =>
  (await node.control.history({ peer, after: 0, limit: 1000 })).events
const statesOf = async (node: TrustNode, peer: string): Promise<unknown[]> =>
  (await eventsOf(node, peer)).filter(({ type }) => type === 'state').map(({ state }) => state)

describe('the history of a node', () => {
  it('has who came, was killed and came back, with ids to go on from, and is there after a restart', async () => {
    await using network = await TestNetwork.create()
    const root = network.node('root')
    const hal = await spawnNode(network, 'hal')
    await eventually(async () => (await statesOf(root, 'hal')).includes('online'))
    await hal.kill()
    await eventually(async () =>
      (await statesOf(root, 'hal')).some((state) => state === 'suspect' || state === 'offline')
    )
    const view = await root.control.history()
    expectSchema('events', view)
    expect(view.events.find(({ type, member }) => type === 'admitted' && member.name === 'hal')).toBeDefined()
    expect(view.events.find(({ type }) => type === 'phase')).toBeDefined()
    expectSchema('timeline', await root.control.timeline())
    await using again = await spawnNode(network, 'hal')
    await eventually(async () => (await statesOf(root, 'hal')).at(-1) === 'online')
    const later = await root.control.history({ after: view.lastId ?? 0, peer: 'hal' })
    expect(later.events.every(({ id }) => id > (view.lastId ?? 0))).toBe(true)

    // It has its own history on its disk, also when it is killed.
    const { store } = dataFiles(network.config('hal').config.paths.data)
    // It writes once a second, and beats every 3 s.
    const begun = Date.now()
    await eventually(() => Date.now() - (viewOf(root, 'hal').heardAgeMs ?? Number.POSITIVE_INFINITY) > begun + 1000)
    await again.kill()
    const db = openReadOnly(store)
    const kept = new HistoryTable(db).newest(1000, undefined)
    db.close()
    expect(kept.length).toBeGreaterThan(1)

    const before = await eventsOf(root)
    await root.stop()
    const back = await network.start('root', { role: 'root' })
    const events = await eventsOf(back)
    expect(events.slice(0, before.length)).toEqual(before)
    expect(events.slice(before.length).map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['this process started'])
    )
  })

  it('says how the network was, what changed, and what the log has about one who is gone', async () => {
    await using network = await TestNetwork.create()
    const { control } = network.node('root')
    const hal = await network.join('hal')
    const before = await control.registryAt()
    expectSchema('registry-at', before)
    expect(before.members.map(({ name }) => name)).toEqual(['hal', 'root'])
    await control.changeMember({ peer: 'hal', groups: ['web'] })
    await control.setPolicy({ admission: 'approve' })
    await control.revoke({ peer: 'hal', reason: 'sold' })
    const diff = await control.logDiff({ fromN: before.at.n })
    expectSchema('registry-log-diff', diff)
    expect(diff).toMatchObject({
      from: { n: before.at.n },
      entries: 3,
      missing: 0,
      added: [],
      removed: [{ name: 'hal', role: 'integrated' }],
      revoked: [{ name: 'hal', peerId: hal.peerId }],
      policy: [{ field: 'admission', before: 'open', after: 'approve' }]
    })
    expect((await control.logDiff({ fromN: before.at.n, toN: before.at.n + 1 })).changed).toMatchObject([
      { name: 'hal', changes: [{ field: 'groups', before: [], after: ['web'] }] }
    ])
    expect((await control.registryAt({ n: before.at.n })).members).toEqual(before.members)
    expect((await control.registryAt({ timeMs: before.at.timeMs })).at.n).toBe(before.at.n)
    await expect(control.registryAt({ n: 999 })).rejects.toThrow('ends at entry')
    await expect(control.registryAt({ timeMs: 1 })).rejects.toThrow('no network yet')

    const topology = await control.topology()
    expectSchema('topology', topology)
    expect(topology.nodes.map(({ name }) => name)).toEqual(['root'])
    const { level } = await control.logLevel({ level: 'debug', service: 'gossipsub' })
    const loud = await control.logLevel({ level: 'warn' })
    expectSchema('log-level', loud)
    expect(loud).toMatchObject({ level: 'warn', services: [{ name: 'gossipsub', level: 'debug' }] })
    expect(level).not.toBe('warn')
    const recent = await control.recentLog()
    expectSchema('recent-log', recent)
    const [changed = ''] = recent.lines.filter((line) => line.includes('the level of the log was changed'))
    expect(JSON.parse(changed)).toMatchObject({ level: 'info', log_level: 'debug', component: 'gossipsub' })

    const kinds = async (query: Parameters<typeof control.log>[0]): Promise<string[]> =>
      (await control.log(query)).entries.map(({ kind }) => kind)
    expect(await kinds({ peer: 'hal' })).toEqual(['admit', 'change', 'revoke'])
    expect(await kinds({ peer: hal.peerId, limit: 1 })).toEqual(['revoke'])
    const page = await control.log({ peer: 'hal', after: 0, limit: 2 })
    expect(page).toMatchObject({ missing: 0, floor: 0, entries: [{ kind: 'admit' }, { kind: 'change' }] })
    expect(await kinds({ peer: 'hal', after: page.next ?? 0 })).toEqual(['revoke'])
    const { timeMs: last } = before.at
    expect(await kinds({ untilMs: last, limit: 1 })).toEqual(['admit'])
    expect((await kinds({ sinceMs: last + 1 })).slice(-3)).toEqual(['change', 'policy', 'revoke'])
    await expect(control.log({ peer: 'nobody' })).rejects.toThrow('no member is called nobody')
  })
})
