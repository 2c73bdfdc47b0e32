import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { either } from '../../runtime/abort.ts'
import type { Context } from '../output/context.ts'
import { UsageError } from '../output/exit.ts'
import { BrokenOffError } from '../output/interrupt.ts'

/** Kinds of passphrases, by the secret that holds each: whose it is, and the variable that names its file. */
const kinds = {
  recoveryPassphrase: { of: 'recovery kit', variable: 'TRUSTNET_RECOVERY_PASSPHRASE_FILE' },
  operatorPassphrase: { of: 'key of the operator', variable: 'TRUSTNET_OPERATOR_PASSPHRASE_FILE' }
} as const

/** Reads a passphrase, of a recovery kit unless said otherwise: from the environment, a file or credential that it names, or typed without an echo. */
export const readPassphrase = async (
  { terminal, signal }: Pick<Context, 'terminal' | 'signal'>,
  kind: keyof typeof kinds = 'recoveryPassphrase'
): Promise<string> => {
  const { of, variable } = kinds[kind]
  const { readSecret } = await import('../../node/config/index.ts')
  const given = readSecret(kind, { env: terminal.env })
  if (given !== undefined) return given
  if (terminal.stdin.isTTY !== true) {
    throw new UsageError(
      `The ${of} needs its passphrase: set ${variable} to a file that holds it, or run this on a terminal.`
    )
  }
  terminal.progress(`Passphrase of the ${of} (it is not shown):`)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: terminal.stdin, output: silent, terminal: true })
  const over = new AbortController()
  // Ctrl-C and Ctrl-D are typed on a raw terminal: neither is a signal, nor an answer.
  lines.once('close', () => over.abort())
  try {
    return (await lines.question('', { signal: either(signal, over.signal) })).trim()
  } catch {
    throw new BrokenOffError('nothing was changed')
  } finally {
    lines.close()
  }
}
