import { closeSync, fstatSync } from 'node:fs'
import { extname } from 'node:path'
import { UnfitFileError } from '../../runtime/errors.ts'
import { openRegular, readOpen } from '../../runtime/files/read-file.ts'
import type { Context } from '../output/context.ts'

const mostBytes = 256 * 1024

/** Media types by the end of a file's name. */
const types: ReadonlyMap<string, string> = new Map(
  Object.entries({
    '.txt': 'text/plain',
    '.md': 'text/markdown',
    '.html': 'text/html',
    '.css': 'text/css',
    '.csv': 'text/csv',
    '.json': 'application/json',
    '.yaml': 'application/yaml',
    '.yml': 'application/yaml',
    '.xml': 'application/xml',
    '.pdf': 'application/pdf',
    '.png': 'image/png',
    '.svg': 'image/svg+xml'
  })
)

export const mediaTypeOf = (file: string, bytes: Uint8Array): string =>
  types.get(extname(file).toLowerCase()) ?? (isText(bytes) ? 'text/plain' : 'application/octet-stream')

/** True for UTF-8 that a terminal can show. */
export function isText(bytes: Uint8Array): boolean {
  if (bytes.includes(0)) return false
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

/** Bytes of a file, or with `-` of standard input. @throws UnfitFileError for what is no file, or too long; the error of the system */
export async function contentOf({ terminal, signal }: Context, file: string): Promise<Buffer> {
  if (file === '-') return await readInput(terminal.stdin, signal)
  const opened = openRegular(file)
  try {
    const { size } = fstatSync(opened)
    if (size > mostBytes) throw tooLong(file, `${size} bytes`)
    return readOpen(opened, file, mostBytes)
  } finally {
    closeSync(opened)
  }
}

async function readInput(stdin: AsyncIterable<unknown>, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stdin) {
    signal.throwIfAborted()
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk))
    length += bytes.length
    if (length > mostBytes) throw tooLong('standard input', `more than ${mostBytes} bytes`)
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}

const tooLong = (what: string, bytes: string): UnfitFileError =>
  new UnfitFileError(
    `${what} cannot be published: it has ${bytes}, and a document has at most ${mostBytes}; publish where it is and its digest instead`
  )
