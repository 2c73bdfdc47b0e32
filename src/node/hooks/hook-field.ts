import { accessSync, constants, statSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { codeOf } from '../../runtime/error-code.ts'
import { text } from '../config/fields.ts'

/**
 * The reason why a program must not be run for events; undefined: it may. Whoever may write it would act as this process, so it belongs to
 * root or to this user, and nobody else may write it.
 */
export function hookRefusal(path: string): string | undefined {
  if (!isAbsolute(path))
    return `'${path}' is no absolute path of a program; it is run without a shell and without arguments`
  try {
    const stat = statSync(path)
    const uid = process.geteuid?.() ?? stat.uid
    if (!stat.isFile()) return `${path} is no file`
    if (stat.uid !== 0 && stat.uid !== uid)
      return `${path} belongs to user ${stat.uid}: it must be root's, or this user's (${uid})`
    if ((stat.mode & 0o022) !== 0) return `${path} may be written by others: chmod go-w ${path}`
    accessSync(path, constants.X_OK)
  } catch (error) {
    const code = codeOf(error)
    return code === 'EACCES' ? `${path} may not be run: chmod +x ${path}` : `${path} cannot be read (${code})`
  }
  return undefined
}

export const hookProgram = () => text(hookRefusal)
