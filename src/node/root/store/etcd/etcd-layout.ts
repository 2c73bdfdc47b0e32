import { z } from 'zod'
import { plainBytes } from '../../../../identity/key-id.ts'
import { networkIdText } from '../../../../identity/network-id.ts'
import type { RootLease } from '../../../../registry/log/root-log/root-log.ts'
import type { Head } from '../../../../registry/log/state/network-state.ts'
import type { LogItem } from '../../../../registry/store/log-rows.ts'
import { UnavailableError } from '../../../../runtime/errors.ts'

/**
 * Keys of one network in etcd, all below `/trustnet/NETWORKID/v1/`:
 *
 * | key | value |
 * |---|---|
 * | `term` | the lease given last: `{"term":3,"holder":"12D3…"}` |
 * | `lease` | term of the lease that holds; it belongs to a lease of etcd and goes with it |
 * | `head` | `{"epoch":0,"n":17,"hash":"…"}` |
 * | `checkpoint` | envelope over the head |
 * | `log/LAST-FIRST-BYTES` | envelopes of one batch, each behind its length in four bytes; numbers of 16, 16 and 8 digits |
 * | `candidate/HOLDER` | a process that stands for the place of the root; it belongs to a lease of etcd, too |
 */
export interface EtcdKeys {
  readonly term: string
  readonly lease: string
  readonly head: string
  readonly checkpoint: string
  /** Beginning of the keys of batches. */
  readonly log: string
  /** Beginning of the keys of candidates. */
  readonly candidate: string
}

export function keysOf(networkId: Uint8Array): EtcdKeys {
  const at = (name: string): string => `/trustnet/${networkIdText(networkId)}/v1/${name}`
  return {
    term: at('term'),
    lease: at('lease'),
    head: at('head'),
    checkpoint: at('checkpoint'),
    log: at('log/'),
    candidate: at('candidate/')
  }
}

/** First key behind all that begin so. */
export const endOf = (prefix: string): string =>
  `${prefix.slice(0, -1)}${String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)}`

/** Greatest envelope that is read: the format allows less. */
const entryBytes = 16 * 1024
const lengthBytes = 4
const digits = 16
const sizeDigits = 8

/** Place of a batch in the log, as its key has it. */
export interface BatchKey {
  readonly key: string
  readonly first: number
  readonly last: number
  readonly bytes: number
}

/** Beginning of the keys of batches whose last entry is n. */
export const batchesFrom = ({ log }: EtcdKeys, n: number): string => log + String(Math.max(0, n)).padStart(digits, '0')

export function batchKey(keys: EtcdKeys, entries: readonly LogItem[], bytes: number): string {
  const [first, last] = [entries[0]?.n ?? 0, entries.at(-1)?.n ?? 0]
  return `${batchesFrom(keys, last)}-${String(first).padStart(digits, '0')}-${String(bytes).padStart(sizeDigits, '0')}`
}

/** @throws UnavailableError for a key that this program has not written */
export function readBatchKey({ log }: EtcdKeys, key: string): BatchKey {
  const parts = key.startsWith(log) ? /^(\d{16})-(\d{16})-(\d{8})$/.exec(key.slice(log.length)) : null
  const [last, first, bytes] = parts?.slice(1).map(Number) ?? []
  if (last === undefined || first === undefined || bytes === undefined || first > last) throw foreign(key)
  return { key, first, last, bytes }
}

export function encodeBatch(entries: readonly LogItem[]): Buffer {
  return Buffer.concat(
    entries.flatMap(({ envelope }) => {
      const length = Buffer.alloc(lengthBytes)
      length.writeUInt32BE(envelope.length)
      return [length, envelope]
    })
  )
}

/** @throws UnavailableError when it is not what its key says */
export function decodeBatch({ key, first, last }: BatchKey, value: Buffer): LogItem[] {
  const items: LogItem[] = []
  for (let at = 0; at < value.length; ) {
    const length = at + lengthBytes <= value.length ? value.readUInt32BE(at) : 0
    const end = at + lengthBytes + length
    if (length === 0 || length > entryBytes || end > value.length || items.length > last - first) throw foreign(key)
    items.push({ n: first + items.length, envelope: plainBytes(value.subarray(at + lengthBytes, end)) })
    at = end
  }
  if (items.length !== last - first + 1) throw foreign(key)
  return items
}

const number = z.number().int().nonnegative()
const headSchema = z.object({ epoch: number, n: number, hash: z.string().regex(/^[0-9a-f]{64}$/) })
const termSchema = z.object({ term: number, holder: z.string().max(128) })

/** The one spelling of a head: values are compared as they are. */
export const headText = ({ epoch, n, hash }: Head): string =>
  JSON.stringify({ epoch, n, hash: Buffer.from(hash).toString('hex') })

export const termText = ({ term, holder }: RootLease): string => JSON.stringify({ term, holder })

/** @throws UnavailableError */
export function readHead({ head }: EtcdKeys, value: Buffer): Head {
  const { epoch, n, hash } = readJson(head, headSchema, value)
  return { epoch, n, hash: Uint8Array.from(Buffer.from(hash, 'hex')) }
}

/** @throws UnavailableError */
export const readTerm = ({ term }: EtcdKeys, value: Buffer): RootLease => readJson(term, termSchema, value)

function readJson<T>(key: string, schema: z.ZodType<T>, value: Buffer): T {
  let json: unknown
  try {
    json = JSON.parse(value.toString('utf8'))
  } catch {
    throw foreign(key)
  }
  const read = schema.safeParse(json)
  if (!read.success) throw foreign(key)
  return read.data
}

const foreign = (key: string): UnavailableError =>
  new UnavailableError(
    `the key ${key.slice(0, 200)} in etcd is not of this program: nothing but the roots of this network may write below /trustnet/`,
    1000
  )
