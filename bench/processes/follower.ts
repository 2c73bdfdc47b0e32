import { join } from 'node:path'
import { SyncCursors, type SyncSummary, sync } from '../../src/protocols/sync/index.ts'
import { openRegistry, type Registry } from '../../src/registry/registry.ts'
import { silentLogger } from '../../src/runtime/clock-and-logger.ts'
import { clientLimits, LightMember } from '../harness/members/light-member.ts'
import { secondary } from '../harness/members/members.ts'
import { serveMethods } from '../harness/serve.ts'
import type { RootAddress } from './root.ts'

/** A secondary's replica, with its own store, that follows a root. */
let member: LightMember | undefined
let registry: Registry | undefined
let cursors = new SyncCursors()
let stores = 0

export interface Synced {
  seconds: number
  entries: number
  records: number
}

const methods = {
  async connect(root: RootAddress): Promise<void> {
    member = await LightMember.start(secondary, root)
    await member.register()
  },

  /** Begins with a store that knows the genesis alone. */
  async empty(folder: string, genesis: Uint8Array): Promise<void> {
    await registry?.close()
    if (member === undefined) throw new Error('not connected')
    cursors = new SyncCursors()
    const path = join(folder, `follower-${process.pid}-${stores++}`, 'registry.db')
    registry = await openRegistry({ path, role: 'secondary', nodeKey: member.key, genesis })
  },

  /** All that the root has and this replica has not: until it is verified and on the disk. */
  async follow(): Promise<Synced> {
    if (member === undefined || registry === undefined) throw new Error('nothing to sync')
    const from = performance.now()
    const options = { limits: clientLimits, logger: silentLogger, subscribe: false, records: true, cursors }
    const { entries, records }: SyncSummary = await sync(member.connection, registry, options)
    return { seconds: (performance.now() - from) / 1000, entries, records }
  }
}

export type FollowerMethods = typeof methods

serveMethods(methods, async () => {
  await registry?.close()
  await member?.stop()
})
