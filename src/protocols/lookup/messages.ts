import { equals } from 'uint8arrays/equals'
import { roleOf, roles } from '../../identity/role.ts'
import { type State, stateOf, states } from '../../registry/liveness/liveness.ts'
import type { LookupQuery, LookupRow } from '../../registry/records/lookup.ts'
import { InvalidPayloadError, UnsupportedVersionError, WrongNetworkError } from '../../runtime/errors.ts'
import { carriedTrace } from '../../runtime/trace.ts'
import { MalformedFrameError } from '../engine/errors.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { decodeFrame } from '../engine/protocol.ts'
import { lookupVersion } from './descriptor.ts'
import { LookupRequest, type LookupRow as RowMessage } from './pb/lookup.ts'

const keyBytes = 32
const maxTextChars = 64
const none = new Uint8Array()

export const encodeQuery = (query: LookupQuery, networkId: Uint8Array): Uint8Array =>
  LookupRequest.encode({
    version: lookupVersion,
    networkId,
    publicKey: query.publicKey ?? none,
    name: query.name ?? '',
    role: query.role === undefined ? 0 : roles[query.role],
    service: query.service ?? '',
    state: query.state === undefined ? 0 : states[query.state],
    after: query.after ?? none,
    limit: query.limit ?? 0,
    ...carriedTrace()
  })

/** @throws MalformedFrameError */
export const decodeQuery = (bytes: Uint8Array): LookupRequest =>
  decodeFrame((frame) => LookupRequest.decode(frame), bytes)

/** @throws MalformedFrameError, UnsupportedVersionError, WrongNetworkError, InvalidPayloadError */
export function readQuery(
  request: LookupRequest,
  networkId: Uint8Array,
  limits: ProtocolLimits['lookup']
): LookupQuery {
  if (request.version > lookupVersion) throw new UnsupportedVersionError(`a lookup of version ${request.version}`)
  if (!equals(request.networkId, networkId)) throw new WrongNetworkError('a lookup in another network')
  const { publicKey, name, service, after } = request
  for (const key of [publicKey, after]) {
    if (key.length !== 0 && key.length !== keyBytes) throw new MalformedFrameError('a key of another length')
  }
  if (name.length > maxTextChars || service.length > maxTextChars)
    throw new InvalidPayloadError('a text too long to match')
  const role = request.role === 0 ? undefined : (roleOf(request.role) ?? unknown('role'))
  const state = request.state === 0 ? undefined : (stateOf(request.state) ?? unknown('state'))
  return {
    ...(publicKey.length > 0 && { publicKey }),
    ...(name !== '' && { name }),
    ...(role !== undefined && { role }),
    ...(service !== '' && { service }),
    ...(state !== undefined && { state }),
    ...(after.length > 0 && { after }),
    limit: Math.min(request.limit === 0 ? limits.defaultRows : request.limit, limits.rows)
  }
}

/** A filter that cannot be applied must not be left out: the answer would hold rows that were not asked for. */
function unknown(what: string): never {
  throw new UnsupportedVersionError(`a ${what} of a newer version`)
}

/** Never heard, in the number of the wire. */
const neverHeardMs = Number.MAX_SAFE_INTEGER

export const toRowMessage = ({ publicKey, name, role, record, admit, liveness }: LookupRow): RowMessage => ({
  publicKey,
  name,
  role: roles[role],
  record: record ?? none,
  admit,
  state: states[liveness.state],
  heardMs: heardOf(liveness.heardAgeMs)
})

const heardOf = (ms: number | undefined): number => (ms === undefined ? neverHeardMs : Math.max(0, Math.round(ms)))

export const heardMsOf = (message: RowMessage): number | undefined =>
  message.heardMs >= neverHeardMs ? undefined : message.heardMs

export const stateOfRow = (message: RowMessage): State => stateOf(message.state) ?? 'unknown'
