import { equals } from 'uint8arrays/equals'
import {
  checkCount,
  checkDomain,
  checkHash,
  checkKey,
  checkText,
  checkTime,
  maxTextChars,
  nameOfNumber
} from '../../identity/checked-bytes.ts'
import type { SigningKey } from '../../identity/keys.ts'
import { InvalidPayloadError, UnsupportedVersionError } from '../../runtime/errors.ts'
import { Genesis as GenesisMessage } from '../pb/registry.ts'
import { domains, type Signed } from './envelope.ts'
import { openUnbound, type SignedKind, sealSigned } from './signed.ts'

/** Who is let in: with an invite, by the operator's word, or everybody. The numbers are on the wire. */
export const admissions = { invite: 0, approve: 1, open: 2 } as const
export type AdmissionPolicy = keyof typeof admissions

export interface Policy {
  admission: AdmissionPolicy
  /** How long an admission or a renewal lasts. */
  membershipMs: number
  /** Quota of all live documents together. */
  documentBytes: number
}

/** The first signed object of a network. SHA-256 of its payload is the network id, which pins everything else. */
export interface Genesis {
  domain: string
  /** For people; not unique. */
  name: string
  authorityKey: Uint8Array
  /** SHA-256 of the next authority key. */
  nextAuthorityDigest: Uint8Array
  /** Signs entries and checkpoints of epoch 0. */
  logKey: Uint8Array
  createdMs: number
  policy: Policy
}

/** A shorter membership could not be renewed in time, a longer one would outlive its operators. */
const minMembershipMs = 1000
const maxMembershipMs = 100 * 365 * 24 * 3600 * 1000
const maxQuotaBytes = 2 ** 40

function policyOf(message: GenesisMessage['policy']): Policy {
  if (message === undefined) throw new InvalidPayloadError('the genesis has no policy')
  const admission = nameOfNumber(admissions, message.admission)
  if (admission === undefined) {
    throw new UnsupportedVersionError(`the genesis has an admission policy ${message.admission}: update this program`)
  }
  return { admission, membershipMs: message.membershipMs, documentBytes: message.documentBytes }
}

const kind: SignedKind<Genesis, GenesisMessage> = {
  what: 'genesis',
  domain: domains.genesis,
  codec: GenesisMessage,
  toMessage: (value) => ({ ...value, policy: { ...value.policy, admission: admissions[value.policy.admission] } }),
  fromMessage: (message) => ({
    domain: message.domain,
    name: message.name,
    authorityKey: message.authorityKey,
    nextAuthorityDigest: message.nextAuthorityDigest,
    logKey: message.logKey,
    createdMs: message.createdMs,
    policy: policyOf(message.policy)
  }),
  check(value) {
    checkDomain(value.domain, 'domain of the genesis')
    checkText(value.name, 1, maxTextChars, 'name of the network')
    checkKey(value.authorityKey, 'authority key')
    checkHash(value.nextAuthorityDigest, 'digest of the next authority key')
    checkKey(value.logKey, 'log key')
    if (equals(value.authorityKey, value.logKey)) throw new InvalidPayloadError('authority and log key are the same')
    checkTime(value.createdMs, 'creation time of the genesis')
    checkCount(value.policy.membershipMs, minMembershipMs, maxMembershipMs, 'duration of a membership')
    checkCount(value.policy.documentBytes, 0, maxQuotaBytes, 'quota of documents')
  },
  signers: (value) => [value.authorityKey]
}

/** @throws InvalidPayloadError when a rule is broken, InvalidEnvelopeError unless `authority` is the authority key */
export const sealGenesis = (genesis: Genesis, authority: SigningKey): Signed<Genesis> =>
  sealSigned(kind, genesis, authority)

/** @throws InvalidEnvelopeError, InvalidPayloadError, UnsupportedVersionError */
export const openGenesis = (bytes: Uint8Array): Signed<Genesis> => openUnbound(kind, bytes)

export { matchesFingerprint, networkFingerprint, networkIdText, parseNetworkId } from '../../identity/network-id.ts'
