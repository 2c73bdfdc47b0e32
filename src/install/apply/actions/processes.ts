import { accountOf } from '../../machine/files-on-disk.ts'
import { sharedUser } from '../../model/layout.ts'
import type { Tools } from '../../model/tools.ts'
import { asOwner } from '../as-owner/run.ts'

/** A user with a process cannot be removed, and one that goes must leave nobody behind who could write to what it had. */
export const endProcesses = async (user: string, { signal }: Pick<Tools, 'signal'>): Promise<void> => {
  const ids = user === sharedUser ? undefined : await accountOf(user)
  if (ids !== undefined) await asOwner(ids, 'endAll', {}, { signal })
}
