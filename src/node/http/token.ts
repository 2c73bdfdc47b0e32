import { reasonOf } from '../../runtime/error-message.ts'
import { readPrivateText } from '../../runtime/files/read-file.ts'
import { ConfigError } from '../errors.ts'

const maxBytes = 4 * 1024
/** Length that nobody guesses: 16 letters and digits have 80 bits. */
const fewestChars = 16
/** The mark of UTF-8, or that of UTF-16 read as UTF-8. */
const byteOrderMark = /^(?:\uFEFF|\uFFFD\uFFFD)/

/** The token that requests must bring; undefined: they need none. @throws ConfigError for a file that cannot be used */
export const readToken = (file: string | undefined): string | undefined => {
  if (file === undefined) return undefined
  const refuse = (why: string): never => {
    throw new ConfigError([`http.tokenFile: ${file}: ${why}`])
  }
  try {
    const text = readPrivateText(file, maxBytes, { others: 0o007, mode: '640' })
    if (byteOrderMark.test(text)) {
      refuse(
        'begins with a byte order mark, which a client that sends the line would send too: save it as plain UTF-8 without one'
      )
    }
    const token = text.trim()
    if (!/^[!-~]+$/.test(token) || token.length < fewestChars) {
      refuse(
        `has no token of at least ${fewestChars} characters without spaces: head -c 24 /dev/urandom | base64 > ${file}`
      )
    }
    return token
  } catch (error) {
    if (error instanceof ConfigError) throw error
    return refuse(`cannot be read: ${reasonOf(error)}`)
  }
}
