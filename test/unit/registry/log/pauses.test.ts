import { expect, it } from 'vitest'
import { Pauses } from '../../../../src/registry/log/pauses.ts'
import { openDatabase } from '../../../../src/registry/store/database.ts'
import { MetaTable } from '../../../../src/registry/store/meta-table.ts'
import { tempFolder } from '../../../helpers/temp.ts'

const hour = 3_600_000

it('pauses of the root are no time in which a membership could be renewed', () => {
  using folder = tempFolder()
  const db = openDatabase(`${folder.path}/registry.db`)
  const pauses = new Pauses(new MetaTable(db))
  expect([pauses.list(), pauses.awakeMs(0, 10 * hour)]).toEqual([[], 10 * hour])
  pauses.add({ fromMs: 0, toMs: hour / 2 })
  pauses.add({ fromMs: 2 * hour, toMs: 5 * hour })
  expect(new Pauses(new MetaTable(db)).list()).toEqual([{ fromMs: 2 * hour, toMs: 5 * hour }])
  expect(pauses.awakeMs(0, 10 * hour)).toBe(7 * hour)
  expect(pauses.awakeMs(4 * hour, 4.5 * hour)).toBe(0)
  expect(pauses.awakeMs(6 * hour, 7 * hour)).toBe(hour)
  for (let n = 0; n < 20; n++) pauses.add({ fromMs: n, toMs: n + hour })
  expect(pauses.list()).toHaveLength(16)
  db.close()
})
