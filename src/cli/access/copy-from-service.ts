import { basename, join } from 'node:path'
import { statAt } from '../../install/machine/open-safely.ts'
import { removeAt } from '../../install/machine/safe-files.ts'
import type { ControlApi } from '../../node/api/control-api.ts'
import { takeFile } from './copy-file.ts'

/**
 * A file that the running process makes, at `to`. A service writes below its data folder alone and has a /tmp of its own: it is made
 * there, and fetched.
 */
export const handedOver = async <T extends { path: string }>(
  client: ControlApi,
  to: string,
  make: (path: string) => Promise<T>
): Promise<T> => {
  const { self } = await client.status()
  const there = join(self.dataFolder, `.for-${process.pid}-${basename(to)}`)
  try {
    const made = await make(there)
    takeFile(there, to, statAt(self.dataFolder)?.uid ?? 0)
    return { ...made, path: to }
  } finally {
    for (const end of ['', '.json']) removeAt(there + end)
  }
}
