import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { isOwnerAlive, thisOwner } from '../../runtime/files/owner.ts'
import { OperatorError } from '../errors.ts'

/** Gone with the next boot, and only root can write it. */
export const lockFile = '/run/trustnet-install.lock'

/**
 * Runs as the only installer of this machine: two at once would write the same journals. The lock of a process that was killed is taken over.
 * @throws OperatorError while another one runs
 */
export const asOnlyInstaller = async <T>(work: () => Promise<T>, path: string = lockFile): Promise<T> => {
  // Without the rights of root nothing of the machine is changed.
  if (path === lockFile && process.getuid?.() !== 0) return await work()
  await hold(path)
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

const hold = async (path: string): Promise<void> => {
  const own = `${thisOwner()}\n`
  while (!(await made(path, own))) {
    const text = await readFile(path, 'utf8').catch(() => '')
    const [pid = ''] = text.split(' ')
    if (isOwnerAlive(text))
      throw new OperatorError(
        `Another install, upgrade or uninstall runs on this machine (process ${pid}): wait until it has ended, then run this again.`
      )
    await rm(path, { force: true })
  }
}

/** In one step with its content: whoever finds it can read whose it is. false: it is there already. */
const made = async (path: string, text: string): Promise<boolean> => {
  const own = `${path}.${process.pid}`
  await writeFile(own, text, { mode: 0o600 })
  try {
    await link(own, path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    await rm(own, { force: true })
  }
}
