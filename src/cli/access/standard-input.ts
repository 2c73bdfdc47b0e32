import { addAbortSignal } from 'node:stream'
import type { Context } from '../output/context.ts'
import { BrokenOffError } from '../output/interrupt.ts'

export interface StandardInput {
  /** Name of what is to be pasted on a terminal: `the invite line`. */
  readonly what: string
  readonly mostBytes: number
  readonly tooLong: () => Error
}

/** All of standard input. A signal ends the wait for it. @throws BrokenOffError; the error for what is too long */
export const readStandardInput = async (
  { terminal, signal }: Pick<Context, 'terminal' | 'signal'>,
  { what, mostBytes, tooLong }: StandardInput
): Promise<Buffer> => {
  if (terminal.stdin.isTTY === true) terminal.progress(`Paste ${what}, then press Ctrl-D:`)
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of addAbortSignal(signal, terminal.stdin) as AsyncIterable<Buffer | string>) {
      const part = Buffer.from(chunk)
      bytes += part.length
      if (bytes > mostBytes) throw tooLong()
      chunks.push(part)
    }
  } catch (error) {
    throw signal.aborted ? new BrokenOffError('nothing was changed') : error
  }
  return Buffer.concat(chunks)
}
