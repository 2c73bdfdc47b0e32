import { createHmac, timingSafeEqual } from 'node:crypto'
import { plainName } from './provider.ts'
import { classes, encodeName, encodeRecord, lastRecord, nameEnd, readName, types, u16 } from './wire.ts'

/** Transaction signatures (RFC 8945): both sides share a key; a message carries an HMAC over itself and a time. */

const digests = { 'hmac-sha256': 'sha256', 'hmac-sha384': 'sha384', 'hmac-sha512': 'sha512' } as const
type TsigAlgorithm = keyof typeof digests

export interface TsigKey {
  readonly name: string
  readonly algorithm: TsigAlgorithm
  readonly secret: Buffer
}

/** A key that cannot be read, or an answer that is not signed with it. */
export class TsigKeyError extends Error {
  override readonly name = 'TsigKeyError'
}

const isAlgorithm = (text: string): text is TsigAlgorithm => Object.hasOwn(digests, text)

/**
 * A key file as `tsig-keygen` writes it, or `[ALGORITHM:]NAME:SECRET` as `nsupdate -y` takes it. @throws TsigKeyError, which
 * never shows the text
 */
export const parseTsigKey = (text: string): TsigKey => {
  const { name, algorithm, secret } = fromFile(text) ?? fromLine(text)
  if (!isAlgorithm(algorithm)) {
    throw new TsigKeyError(`The TSIG key's algorithm must be one of ${Object.keys(digests).join(', ')}.`)
  }
  const bytes = Buffer.from(secret, 'base64')
  // Buffer.from skips what is no base64.
  if (bytes.length < 16 || bytes.toString('base64').replace(/=+$/, '') !== secret.replace(/=+$/, '')) {
    throw new TsigKeyError("The TSIG key's secret is no base64 of 16 bytes or more.")
  }
  try {
    encodeName(name)
  } catch {
    throw new TsigKeyError("The TSIG key's name is no DNS name.")
  }
  return { name: plainName(name), algorithm, secret: bytes }
}

const fromFile = (text: string): { name: string; algorithm: string; secret: string } | undefined => {
  const [, name, body] = /key\s+"?([^"\s{]+)"?\s*\{([^}]*)\}/.exec(text) ?? []
  if (name === undefined || body === undefined) return undefined
  const algorithm = /algorithm\s+"?([\w-]+)"?\s*;/.exec(body)?.[1] ?? ''
  const secret = /secret\s+"([^"]+)"\s*;/.exec(body)?.[1] ?? ''
  return { name, algorithm: algorithm.toLowerCase(), secret }
}

const fromLine = (text: string): { name: string; algorithm: string; secret: string } => {
  const parts = text.trim().split(':')
  const [algorithm = '', name = '', secret = ''] = parts.length === 2 ? ['hmac-sha256', ...parts] : parts
  if (parts.length > 3 || name === '' || secret === '') {
    throw new TsigKeyError('A TSIG key is a file as tsig-keygen writes it, or ALGORITHM:NAME:SECRET.')
  }
  return { name, algorithm: algorithm.toLowerCase(), secret }
}

const fudgeSeconds = 300

const u48 = (value: number): Buffer => {
  const bytes = Buffer.alloc(6)
  bytes.writeUIntBE(value, 0, 6)
  return bytes
}

const withLength = (bytes: Buffer): Buffer => Buffer.concat([u16(bytes.length), bytes])

const macOf = (key: TsigKey, parts: readonly Buffer[]): Buffer => {
  const hmac = createHmac(digests[key.algorithm], key.secret)
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}

/** The fields that are signed besides the message. */
const variables = (key: TsigKey, time: Buffer, fudge: number, error: number, other: Buffer): Buffer =>
  Buffer.concat([
    encodeName(key.name),
    u16(classes.ANY),
    Buffer.alloc(4),
    encodeName(key.algorithm),
    time,
    u16(fudge),
    u16(error),
    withLength(other)
  ])

const additionals = 10

/** The message with its signature as the last record. */
export const signMessage = (message: Buffer, key: TsigKey, nowMs: number): { message: Buffer; mac: Buffer } => {
  const time = u48(Math.floor(nowMs / 1000))
  const mac = macOf(key, [message, variables(key, time, fudgeSeconds, 0, Buffer.alloc(0))])
  const value = Buffer.concat([
    encodeName(key.algorithm),
    time,
    u16(fudgeSeconds),
    withLength(mac),
    message.subarray(0, 2),
    u16(0),
    u16(0)
  ])
  const record = encodeRecord({ name: key.name, type: types.TSIG, class: classes.ANY, ttlSeconds: 0, value })
  const head = Buffer.from(message)
  head.writeUInt16BE(head.readUInt16BE(additionals) + 1, additionals)
  return { message: Buffer.concat([head, record]), mac }
}

const errors: Readonly<Record<number, string>> = {
  16: 'BADSIG: the secret is another one there',
  17: 'BADKEY: the server knows no key of this name and algorithm',
  18: "BADTIME: this machine's clock and the server's differ by more than 5 minutes",
  22: 'BADTRUNC: the server wants a longer signature'
}

/** The answer is signed with our key and is one to our question. @throws TsigKeyError */
export const verifyMessage = (message: Buffer, key: TsigKey, requestMac: Buffer, nowMs: number): void => {
  const start = lastRecord(message)
  const signature = start === undefined ? undefined : readSignature(message, start)
  if (start === undefined || signature === undefined) throw new TsigKeyError('the answer is not signed')
  const { time, fudge, mac, originalId, error, other } = signature
  if (error === 16 || error === 17) throw new TsigKeyError(errors[error] ?? '')
  if (signature.name !== key.name || signature.algorithm !== key.algorithm) {
    throw new TsigKeyError('the answer is signed with another key')
  }
  const bare = Buffer.from(message.subarray(0, start))
  originalId.copy(bare, 0)
  bare.writeUInt16BE(bare.readUInt16BE(additionals) - 1, additionals)
  const expected = macOf(key, [withLength(requestMac), bare, variables(key, time, fudge, error, other)])
  if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) {
    throw new TsigKeyError("the answer's signature is wrong")
  }
  if (error !== 0) throw new TsigKeyError(errors[error] ?? `TSIG error ${error}`)
  if (Math.abs(time.readUIntBE(0, 6) - nowMs / 1000) > fudge) {
    throw new TsigKeyError("the answer's time is off: this machine's clock and the server's differ")
  }
}

interface Signature {
  readonly name: string
  readonly algorithm: string
  readonly time: Buffer
  readonly fudge: number
  readonly mac: Buffer
  readonly originalId: Buffer
  readonly error: number
  readonly other: Buffer
}

/** undefined: that record is no TSIG. @throws RangeError when it is cut short */
const readSignature = (message: Buffer, start: number): Signature | undefined => {
  const fields = nameEnd(message, start)
  if (message.readUInt16BE(fields) !== types.TSIG) return undefined
  const value = fields + 10
  const time = nameEnd(message, value)
  const macLength = message.readUInt16BE(time + 8)
  const tail = time + 10 + macLength
  return {
    name: readName(message, start),
    algorithm: readName(message, value),
    time: message.subarray(time, time + 6),
    fudge: message.readUInt16BE(time + 6),
    mac: message.subarray(time + 10, tail),
    originalId: message.subarray(tail, tail + 2),
    error: message.readUInt16BE(tail + 2),
    other: message.subarray(tail + 6, tail + 6 + message.readUInt16BE(tail + 4))
  }
}
