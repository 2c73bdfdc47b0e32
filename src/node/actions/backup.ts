import { existsSync } from 'node:fs'
import { manifestPath } from '../../registry/backup/manifest.ts'
import { codeOf } from '../../runtime/error-code.ts'
import { InvalidPayloadError, NotRootError } from '../../runtime/errors.ts'
import type { BackupView } from '../api/registry-views.ts'
import type { ChangeView } from '../api/views.ts'
import type { MadeBackup } from '../housekeeping.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import { whoAsks } from '../views/operator-names.ts'
import { selfRef } from '../views/refs.ts'

/** @throws InvalidPayloadError for a file that is there; StoreError */
export async function backUpNow(node: NodeContext, to: string | undefined): Promise<BackupView> {
  if (to !== undefined) refuseTaken(to)
  const { housekeeping } = node
  if (housekeeping === undefined) throw new InvalidPayloadError('this process starts: there is nothing to back up yet')
  try {
    return backupView(await housekeeping.backUp(to))
  } catch (error) {
    throw to !== undefined && notWritable.has(codeOf(error) ?? '') ? closed(to, error) : error
  }
}

const notWritable = new Set(['EACCES', 'EPERM', 'EROFS'])

/** A service writes below its data folder alone. */
const closed = (to: string, cause: unknown): InvalidPayloadError =>
  new InvalidPayloadError(
    `the process must not write ${to}: a service writes below its data folder alone. Leave --to out, then copy the backup from there`,
    { cause }
  )

/** A backup takes the place of nothing. */
export const refuseTaken = (path: string): void => {
  for (const each of [path, manifestPath(path)]) {
    if (existsSync(each)) throw new InvalidPayloadError(`${each} is there already: choose another file`)
  }
}

export const backupView = ({ path, manifest }: MadeBackup): BackupView => ({
  path,
  manifest: manifestPath(path),
  createdMs: manifest.createdMs,
  bytes: manifest.database.bytes,
  sha256: manifest.database.sha256,
  head: manifest.head,
  rows: manifest.rows,
  lacks: manifest.lacks
})

/**
 * The operator's word that nobody holds more of the log than this root, which was restored.
 * @throws NotRootError; InvalidPayloadError when nothing waits for that word, or the head is another one
 */
export function resumeRestored(node: NodeContext, { registry }: NetworkNode, head: number): ChangeView {
  const { root, restored, replica } = registry
  if (root === undefined) throw new NotRootError('only a root appends to the log: run this on its machine')
  if (restored === undefined)
    throw new InvalidPayloadError('this root was not restored from a backup: it waits for no word')
  if (head !== replica.head.n) {
    throw new InvalidPayloadError(
      `the log of this root ends at entry ${replica.head.n}, not at ${head}: look at \`trustnet registry status\` once more`
    )
  }
  node.duties?.resume()
  const fields = { by: whoAsks(registry), head }
  node.logging.logger.warn(fields, 'An operator says that nobody holds more of the log: this restored root appends')
  const message = 'appends from here on; whoever holds a higher entry of the same epoch has another history now'
  return { ...selfRef(node), entry: replica.head.n, message }
}
