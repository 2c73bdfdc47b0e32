import { join } from 'node:path'
import { expect } from 'vitest'
import { SigningKey } from '../../../src/identity/keys.ts'
import {
  openRegistry,
  type Registry,
  type RegistryComponents,
  type RegistryInit
} from '../../../src/registry/registry.ts'
import { openDatabase } from '../../../src/registry/store/database.ts'
import { quickCheck } from '../../../src/registry/store/store-checks.ts'
import { memoryFolder } from '../temp.ts'
import { copyStore, crashStore, SimulatedCrash, stepsOf, unwatchStore } from './store-faults.ts'

/** Something that is asked of a registry and must happen wholly or not at all. */
export interface Operation {
  readonly run: (registry: Registry) => Promise<unknown>
  /** All that it does: each true once it is done. */
  readonly effects: (registry: Registry) => boolean[]
}

/** A registry of an operation, at any path. */
export type OpenInit = Omit<RegistryInit, 'path'> & { components: RegistryComponents }

export const openAt = (path: string, { components, ...init }: OpenInit): Promise<Registry> =>
  openRegistry({ ...init, path }, components)

/** Share of a COMMIT that is on the disk when the power is cut in it. */
const tornCommits = [0, 0.5, 0.99]

const former = ({ records, replica }: Registry): string[] =>
  [...records.keys()].filter((key) => !replica.isMember(key)).map((key) => Buffer.from(key).toString('hex'))

/**
 * Crashes the process behind every statement of an operation, and in the middle of every commit, each time from the same store, and
 * looks at what a new process finds: a sound store, the operation done or not done, and done if it was acknowledged; and that it can be
 * done again. Gives the number of crashes.
 */
export const crashEverywhere = async (from: string, init: OpenInit, operation: Operation) => {
  using folder = memoryFolder()
  let copies = 0
  const copyOf = (path: string): string => {
    const copy = join(folder.path, `${copies++}.db`)
    copyStore(path, copy)
    return copy
  }
  const dryPath = copyOf(from)
  const dry = await openAt(dryPath, init)
  expect(new Set(operation.effects(dry))).toEqual(new Set([false]))
  const steps = await stepsOf(dryPath, async () => await operation.run(dry))
  expect(new Set(operation.effects(dry))).toEqual(new Set([true]))
  await dry.close()
  const points = steps.flatMap((sql, index) => [
    { after: index, written: 1 },
    ...(sql === 'COMMIT' ? tornCommits.map((written) => ({ after: index + 1, written })) : [])
  ])
  points.push({ after: steps.length, written: 1 })
  for (const point of points) {
    const path = copyOf(from)
    const leaveAt = join(folder.path, `${copies++}.db`)
    const isAcknowledged = await crashAt({ path, leaveAt, init, operation, ...point })
    await judge(leaveAt, init, operation, isAcknowledged)
  }
  return points.length
}

interface CrashAt {
  path: string
  leaveAt: string
  init: OpenInit
  operation: Operation
  after: number
  written: number
}

/** Gives whether the operation was acknowledged before the crash. */
const crashAt = async ({ path, leaveAt, init, operation, after, written }: CrashAt): Promise<boolean> => {
  const registry = await openAt(path, init)
  crashStore(path, { after, written, leaveAt })
  const isAcknowledged = await operation.run(registry).then(
    () => true,
    (error: unknown) => {
      if (!(error instanceof SimulatedCrash)) throw error
      return false
    }
  )
  // Behind the last statement nothing is left to stop at: the process dies when it has answered.
  if (isAcknowledged) copyStore(path, leaveAt)
  await registry.close()
  unwatchStore(path)
  return isAcknowledged
}

const judge = async (path: string, init: OpenInit, operation: Operation, isAcknowledged: boolean): Promise<void> => {
  const db = openDatabase(path)
  quickCheck(db, path)
  db.close()
  const registry = await openAt(path, init)
  const effects = new Set(operation.effects(registry))
  expect(effects.size).toBe(1)
  if (isAcknowledged) expect(effects).toEqual(new Set([true]))
  // Written anew after the start, when the end of a membership was stored and that of its record not.
  await registry.meta.set('turn', SigningKey.generate().publicKey)
  expect(former(registry)).toEqual([])
  if (effects.has(false)) {
    await operation.run(registry)
    expect(new Set(operation.effects(registry))).toEqual(new Set([true]))
  }
  await registry.close()
}
