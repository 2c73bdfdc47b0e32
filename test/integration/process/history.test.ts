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

    // What it has on its disk when it is killed, too.
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
})
