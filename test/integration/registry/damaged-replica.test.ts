import { readdirSync } from 'node:fs'
import BetterSqlite3 from 'better-sqlite3'
import { expect, it } from 'vitest'
import { dataFiles } from '../../../src/node/config/paths.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

it.each([
  ['an edited entry', 'UPDATE log SET envelope = (SELECT envelope FROM log WHERE n = 1) WHERE n = 2'],
  ['a row that is missing', 'DELETE FROM log WHERE n = 2']
])(
  'a replica with %s is found at the start, put aside and fetched anew, without a word of the operator',
  async (_what, edit) => {
    await using network = await TestNetwork.create()
    const hal = await network.join('hal')
    await network.join('ann')
    await eventually(() => hal.registry.replica.state.memberByName('ann') !== undefined)
    await hal.stop()
    const { data } = hal.config.paths
    const db = new BetterSqlite3(dataFiles(data).store)
    expect(db.prepare(edit).run().changes).toBe(1)
    db.close()
    const back = await network.start('hal', { 'bootstrap.peers': [network.address('root')] })
    await back.joined({ signal: AbortSignal.timeout(ceilingMs) })
    const root = network.node('root').registry.replica
    await eventually(() => Buffer.compare(back.registry.replica.state.root(), root.state.root()) === 0)
    expect(back.registry.alarms.list().map(({ code }) => code)).toEqual(['store_damaged'])
    expect(readdirSync(data).filter((name) => name.includes('.damaged-'))).toHaveLength(1)
  }
)
