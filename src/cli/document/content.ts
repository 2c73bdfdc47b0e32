import { closeSync, fstatSync } from 'node:fs'
import { extname } from 'node:path'
import { UnfitFileError } from '../../runtime/errors.ts'
import { openRegular, readOpen } from '../../runtime/files/read-file.ts'
import { readStandardInput } from '../access/standard-input.ts'
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
export async function contentOf(context: Context, file: string): Promise<Buffer> {
  if (file === '-') {
    const tooLongInput = (): Error => tooLong('standard input', `more than ${mostBytes} bytes`)
    return await readStandardInput(context, { what: 'the document', mostBytes, tooLong: tooLongInput })
  }
  const opened = openRegular(file)
  try {
    const { size } = fstatSync(opened)
    if (size > mostBytes) throw tooLong(file, `${size} bytes`)
    return readOpen(opened, file, mostBytes)
  } finally {
    closeSync(opened)
  }
}

const tooLong = (what: string, bytes: string): UnfitFileError =>
  new UnfitFileError(
    `${what} cannot be published: it has ${bytes}, and a document has at most ${mostBytes}; publish where it is and its digest instead`
  )
