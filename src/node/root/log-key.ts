import { existsSync, renameSync, rmSync } from 'node:fs'
import { equals } from 'uint8arrays/equals'
import { createKey, loadKey } from '../../identity/key-file.ts'
import type { SigningKey } from '../../identity/keys.ts'
import type { Replica } from '../../registry/log/replica.ts'
import type { LogKeys } from '../../registry/log/state/log-keys.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import { overwrite, syncFolderOf } from '../../runtime/files/overwrite.ts'

/** Path of the key of a new epoch until the epoch stands in the log. */
const nextPath = (path: string): string => `${path}.next`

/** True when a promotion has made a key and may have been broken off. */
export const isEpochPrepared = (path: string): boolean => existsSync(nextPath(path))

/** The key that was made for a new epoch; undefined: none. @throws KeyFileError */
export const preparedLogKey = (path: string): SigningKey | undefined =>
  isEpochPrepared(path) ? loadKey(nextPath(path)) : undefined

/**
 * The key for a new epoch. One that a broken-off try has left is taken again when the present epoch stands in the log with it; of any
 * other nobody knows who has seen it since, so it is deleted. `log.key` itself stays until `keepNextLogKey`.
 */
export function nextLogKey(path: string, keys: LogKeys): SigningKey {
  const next = nextPath(path)
  if (existsSync(next)) {
    const left = loadKey(next)
    if (keys.isKeyOf(keys.epoch, left.publicKey)) return left
    destroyKey(next)
  }
  return createKey(next)
}

/** The new epoch stands in the log: its key takes the place of the one before. */
export function keepNextLogKey(path: string): void {
  if (existsSync(path)) overwrite(path)
  renameSync(nextPath(path), path)
  syncFolderOf(path)
}

/** The log key of this machine; one of a new epoch that stands in the log already is put in its place first. */
export function ownLogKey(path: string, keys: LogKeys): SigningKey {
  const next = nextPath(path)
  if (existsSync(next) && keys.isKeyOf(keys.epoch, loadKey(next).publicKey)) keepNextLogKey(path)
  return loadKey(path)
}

/** Deletes log keys of older epochs: they decide nothing any more, and are only good for whoever steals them. */
export function destroyPastLogKeys(path: string, replica: Pick<Replica, 'state' | 'voided'>, logger: Logger): void {
  const { keys } = replica.state
  for (const each of [path, nextPath(path)]) {
    if (!existsSync(each)) continue
    const { publicKey } = loadKey(each)
    if (keys.isKeyOf(keys.epoch, publicKey)) continue
    if (!keys.isLogKey(publicKey) && !isVoided(publicKey, replica)) continue
    destroyKey(each)
    logger.warn(
      { path: each },
      'the log key of an older epoch was overwritten and deleted: another machine is the root now'
    )
  }
}

/** True for the key of an epoch that is not in the log any more, because a newer one branched off below it. */
const isVoided = (publicKey: Uint8Array, replica: Pick<Replica, 'voided'>): boolean =>
  replica.voided().some(({ value }) => value.kind === 'delegate' && equals(value.body.logKey, publicKey))

function destroyKey(path: string): void {
  overwrite(path)
  rmSync(path)
  syncFolderOf(path)
}
