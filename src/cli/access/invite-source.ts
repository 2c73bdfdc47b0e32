import { stat } from 'node:fs/promises'
import type { Context } from '../output/context.ts'
import { UsageError } from '../output/exit.ts'
import { sanitise } from '../output/text.ts'
import { readStandardInput } from './standard-input.ts'

/** An invite line has at most 16 KiB, and white space that a mail put in. */
const maxStdinBytes = 64 * 1024

/** Begin of an invite line. */
const isLine = /^\s*tnet\d/
/** Text that was meant as a file: other text may be the rest of an invite line, which no message repeats. */
const isPath = /\/|\.\w{1,8}$/

/** The invite line from the argument itself, `-` (stdin), a file, or the environment and its credential files. */
export const readInvite = async (context: Context, given: string | undefined): Promise<string> => {
  const { env } = context.terminal
  if (given === '-') return readStdin(context)
  const { readSecret } = await import('../../node/config/index.ts')
  const file = given ?? (env['TRUSTNET_INVITE'] ? undefined : env['TRUSTNET_INVITE_FILE'])
  if (file !== undefined && (await isThere(file))) {
    await warnOfOthers(context, file)
    return wanted(readSecret('invite', { env: {}, file }))
  }
  if (given !== undefined && !isLine.test(given)) {
    throw new UsageError(
      `${isPath.test(given) ? `'${sanitise(given)}'` : 'What was given'} is neither an invite line, which begins with tnet1, nor a file that is there: give the whole line of \`trustnet invite\`.`
    )
  }
  if (given !== undefined) return given
  return wanted(readSecret('invite', { env }))
}

const wanted = (line: string | undefined): string => {
  if (line !== undefined && line !== '') return line
  throw new UsageError(
    'There is no invite: give the line, a file that holds it, `-` for stdin, or set TRUSTNET_INVITE or TRUSTNET_INVITE_FILE. ' +
      'The operator of the network gets one with: trustnet invite'
  )
}

/** Warns that others can read the file: who reads it first may join in the place of this machine. */
const warnOfOthers = async ({ terminal }: Context, file: string): Promise<void> => {
  const found = await stat(file).catch(() => undefined)
  if (found?.isFile() !== true || (found.mode & 0o077) === 0) return
  const text = `others can read ${sanitise(file)}, and an invite lets in whoever uses it first: chmod 600 it next time`
  terminal.progress(`${terminal.paintProgress('warn', 'warning')}: ${text}`)
}

/** Whatever it is, and also where this user may not look at it: reading it says what is wrong. */
const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => !absent.has(error.code ?? '')
  )

/** Failures to find a path that also a torn invite line gives. */
const absent: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'])

const tooLong = (): Error => new UsageError('What came on stdin is too long for an invite.')

const readStdin = async (context: Context): Promise<string> => {
  const bytes = await readStandardInput(context, { what: 'the invite line', mostBytes: maxStdinBytes, tooLong })
  return wanted(bytes.toString('utf8').trim())
}
