import { base58btc } from 'multiformats/bases/base58'
import { publicKeyOf } from '../../identity/keys.ts'
import {
  InvalidPayloadError,
  LimitError,
  NotAllowedError,
  NotFoundError,
  UnavailableError
} from '../../runtime/errors.ts'
import { MalformedFrameError } from '../engine/errors.ts'
import { decodeFrame } from '../engine/protocol.ts'
import { statuses } from '../engine/status.ts'
import { type CircuitPeer, HopMessage, StopMessage } from './pb/circuit.ts'

const hopTypes = { reserve: 0, connect: 1, status: 2 } as const
const stopTypes = { connect: 0, status: 1 } as const

/** Numbers of circuit relay v2. */
const circuitStatuses = {
  ok: 100,
  reservationRefused: 200,
  limitExceeded: 201,
  permissionDenied: 202,
  connectionFailed: 203,
  noReservation: 204,
  malformed: 400,
  unexpected: 401
} as const

/** Their statuses for ours; what is not here is a failure of the connection. */
const refusals: ReadonlyMap<number, number> = new Map([
  [statuses.NOT_MEMBER, circuitStatuses.permissionDenied],
  [statuses.REVOKED, circuitStatuses.permissionDenied],
  [statuses.NOT_ALLOWED, circuitStatuses.permissionDenied],
  [statuses.RATE_LIMITED, circuitStatuses.limitExceeded],
  [statuses.NOT_FOUND, circuitStatuses.noReservation],
  [statuses.MALFORMED, circuitStatuses.malformed],
  [statuses.TOO_LARGE, circuitStatuses.malformed],
  [statuses.INVALID, circuitStatuses.unexpected]
])

const refusedAs = (status: number): number => refusals.get(status) ?? circuitStatuses.connectionFailed

export const refusal = (status: number): Uint8Array =>
  HopMessage.encode({ type: hopTypes.status, status: refusedAs(status) })

export const stopRefusal = (status: number): Uint8Array =>
  StopMessage.encode({ type: stopTypes.status, status: refusedAs(status) })

export const askToReserve = (): Uint8Array => HopMessage.encode({ type: hopTypes.reserve })

/** PeerIds as text. */
export const askToConnect = (peerId: string): Uint8Array =>
  HopMessage.encode({ type: hopTypes.connect, peer: peerOf(peerId) })

export const bringCircuit = (peerId: string): Uint8Array =>
  StopMessage.encode({ type: stopTypes.connect, peer: peerOf(peerId) })

export const connected = (): Uint8Array => HopMessage.encode({ type: hopTypes.status, status: circuitStatuses.ok })

export const taken = (): Uint8Array => StopMessage.encode({ type: stopTypes.status, status: circuitStatuses.ok })

/** `untilMs`: wall clock. */
export const reserved = (untilMs: number): Uint8Array =>
  HopMessage.encode({
    type: hopTypes.status,
    status: circuitStatuses.ok,
    reservation: { expire: Math.floor(untilMs / 1000) }
  })

/** A request to a relay: the PeerId to connect to; undefined: a reservation is asked for. @throws MalformedFrameError, InvalidPayloadError */
export function readRequest(bytes: Uint8Array): string | undefined {
  const { type, peer } = decodeFrame((frame) => HopMessage.decode(frame), bytes)
  if (type === hopTypes.reserve) return undefined
  if (type !== hopTypes.connect) throw new InvalidPayloadError('it is neither a reservation nor a circuit')
  return readPeer(peer)
}

/** PeerId of whoever a circuit comes from. @throws MalformedFrameError, InvalidPayloadError */
export function readCircuit(bytes: Uint8Array): string {
  const { type, peer } = decodeFrame((frame) => StopMessage.decode(frame), bytes)
  if (type !== stopTypes.connect) throw new InvalidPayloadError('it brings no circuit')
  return readPeer(peer)
}

/** Wall clock ms at which the reservation ends, as the relay says; 0: it says nothing. @throws what the relay refuses with */
export function readAnswer(bytes: Uint8Array): number {
  const { type, status, reservation } = decodeFrame((frame) => HopMessage.decode(frame), bytes)
  if (type !== hopTypes.status) throw new MalformedFrameError('the answer of the relay is no status')
  checkStatus(status)
  return (reservation?.expire ?? 0) * 1000
}

/** @throws what the member refuses with */
export function readTaken(bytes: Uint8Array): void {
  const { type, status } = decodeFrame((frame) => StopMessage.decode(frame), bytes)
  if (type !== stopTypes.status) throw new MalformedFrameError('the answer to a circuit is no status')
  checkStatus(status)
}

const retryMs = 5_000

function checkStatus(status: number | undefined): void {
  switch (status) {
    case circuitStatuses.ok:
      return
    case circuitStatuses.reservationRefused:
    case circuitStatuses.limitExceeded:
      throw new LimitError('the relay has no more places for this node: another relay is to be taken')
    case circuitStatuses.permissionDenied:
      throw new NotAllowedError(
        'the relay does not relay for this node: it takes us for no member, or the policy forbids it'
      )
    case circuitStatuses.noReservation:
      throw new NotFoundError('the member has no reservation at this relay')
    default:
      throw new UnavailableError(`the relay does not reach the member (status ${status ?? 'missing'})`, retryMs)
  }
}

const peerOf = (peerId: string): CircuitPeer => ({ id: base58btc.baseDecode(peerId) })

const peerIdBytes = 38

function readPeer(peer: CircuitPeer | undefined): string {
  const { id } = peer ?? {}
  if (id?.byteLength !== peerIdBytes) throw new InvalidPayloadError('it names no PeerId of an Ed25519 key')
  const text = base58btc.baseEncode(id)
  publicKeyOf(text)
  return text
}
