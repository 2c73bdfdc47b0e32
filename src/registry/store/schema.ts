import { admissionTables } from './admission-tables.ts'
import { alarmTables } from './alarm-table.ts'
import { documentTables } from './document-table.ts'
import { historyTables } from './history-table.ts'
import { logTables } from './log-rows.ts'
import { metaTables } from './meta-table.ts'
import { nodeTables } from './node-table.ts'
import { recordTables } from './record-table.ts'

export interface Schema {
  /** Says that the file is ours: 'TNet'. */
  applicationId: number
  version: number
  /** Stores before this version hold a log of a format that nothing reads any more. */
  oldest?: number
  /** All tables of `version`, for a new store. */
  create: string
  /** From a version to the next one. */
  migrations: ReadonlyMap<number, string>
}

/** A change of any table text raises `version` and adds a step to `migrations`. */
export const schema: Schema = {
  applicationId: 0x544e6574,
  version: 5,
  oldest: 3,
  create: [
    metaTables,
    logTables,
    recordTables,
    nodeTables,
    admissionTables,
    alarmTables,
    historyTables,
    documentTables
  ].join('\n'),
  migrations: new Map([
    [3, historyTables],
    [4, documentTables]
  ])
}
