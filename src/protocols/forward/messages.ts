import { equals } from 'uint8arrays/equals'
import { checkName } from '../../identity/checked-bytes.ts'
import { NotAllowedError, UnsupportedVersionError, WrongNetworkError } from '../../runtime/errors.ts'
import { carriedTrace } from '../../runtime/trace.ts'
import { decodeFrame } from '../engine/protocol.ts'
import { errorOf, refusalText, statuses } from '../engine/status.ts'
import { forwardVersion } from './descriptor.ts'
import { ForwardAnswer, ForwardRequest } from './pb/forward.ts'

export const encodeRequest = (service: string, networkId: Uint8Array): Uint8Array =>
  ForwardRequest.encode({ version: forwardVersion, networkId, service, ...carriedTrace() })

/** @throws MalformedFrameError, UnsupportedVersionError, WrongNetworkError, InvalidPayloadError for what is no name of a service */
export function readRequest(bytes: Uint8Array, networkId: Uint8Array): ForwardRequest {
  const request = decodeFrame((frame) => ForwardRequest.decode(frame), bytes)
  if (request.version > forwardVersion) throw new UnsupportedVersionError(`a request of version ${request.version}`)
  if (!equals(request.networkId, networkId)) throw new WrongNetworkError('a request in another network')
  checkName(request.service, 'name of a service')
  return request
}

export const acceptance = (): Uint8Array =>
  ForwardAnswer.encode({ version: forwardVersion, status: statuses.OK, retryAfterMs: 0, policyEntry: 0 })

export const notAllowed = ({ policyEntry }: NotAllowedError): Uint8Array =>
  ForwardAnswer.encode({ version: forwardVersion, status: statuses.NOT_ALLOWED, retryAfterMs: 0, policyEntry })

/** @throws the error that the status of a refusal stands for */
export function readAnswer(bytes: Uint8Array, service: string, member?: string): void {
  const { status, retryAfterMs, policyEntry } = decodeFrame((frame) => ForwardAnswer.decode(frame), bytes)
  if (status === statuses.OK) return
  const place = member === undefined ? 'there' : `at ${member}`
  if (status === statuses.NOT_ALLOWED) {
    const where =
      policyEntry === 0 ? 'the policy of the network' : `the policy of the network (log entry ${policyEntry})`
    throw new NotAllowedError(`no rule of ${where} lets this node call ${service} ${place}`, policyEntry)
  }
  throw errorOf(status, saying(status, service, place), { retryAfterMs })
}

const saying = (status: number, service: string, place: string): string => {
  if (status === statuses.NOT_EXPOSED)
    return `${service} is not exposed ${place} (NOT_EXPOSED); on that machine: trustnet expose ${service} --to [::1]:PORT`
  if (status === statuses.UNAVAILABLE)
    return `${service} is exposed ${place}, and nothing answers behind it now (UNAVAILABLE)`
  return refusalText(status, `no forward to ${service} ${place}`)
}
