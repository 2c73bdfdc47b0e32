import { equals } from 'uint8arrays/equals'
import { checkDomain, checkHash, checkKey, checkText, checkTime, maxTextChars } from '../../identity/checked-bytes.ts'
import type { SigningKey } from '../../identity/keys.ts'
import { InvalidPayloadError } from '../../runtime/errors.ts'
import { Genesis as GenesisMessage } from '../pb/registry.ts'
import { domains, type Signed } from './envelope.ts'
import { checkTests } from './policy/call-rules.ts'
import { checkPolicy, defaultWitnessGraceMs, type Policy, policyMessage, policyOf } from './policy/policy.ts'
import { checkUnderstood } from './policy/understood.ts'
import { openUnbound, type SignedKind, sealSigned } from './signed.ts'

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

function firstPolicy(message: GenesisMessage['policy']): Policy {
  if (message === undefined) throw new InvalidPayloadError('the genesis has no policy')
  return policyOf(message)
}

const kind: SignedKind<Genesis, GenesisMessage> = {
  what: 'genesis',
  domain: domains.genesis,
  codec: GenesisMessage,
  toMessage: (value) => ({ ...value, policy: policyMessage(value.policy) }),
  fromMessage: (message) => ({
    domain: message.domain,
    name: message.name,
    authorityKey: message.authorityKey,
    nextAuthorityDigest: message.nextAuthorityDigest,
    logKey: message.logKey,
    createdMs: message.createdMs,
    policy: firstPolicy(message.policy)
  }),
  check(value) {
    checkDomain(value.domain, 'domain of the genesis')
    checkText(value.name, 1, maxTextChars, 'name of the network')
    checkKey(value.authorityKey, 'authority key')
    checkHash(value.nextAuthorityDigest, 'digest of the next authority key')
    checkKey(value.logKey, 'log key')
    if (equals(value.authorityKey, value.logKey)) throw new InvalidPayloadError('authority and log key are the same')
    checkTime(value.createdMs, 'creation time of the genesis')
    checkPolicy(value.policy)
    if (value.policy.witnessGraceMs !== defaultWitnessGraceMs)
      throw new InvalidPayloadError('a genesis names no grace for witnesses: a policy entry does')
    if (value.policy.twoOperators.length > 0) throw new InvalidPayloadError('a new network has no two operators yet')
  },
  signers: (value) => [value.authorityKey]
}

/** @throws InvalidPayloadError when a rule is broken, InvalidEnvelopeError unless `authority` is the authority key */
export const sealGenesis = (genesis: Genesis, authority: SigningKey): Signed<Genesis> =>
  sealSigned(kind, genesis, authority)

/**
 * Opens a genesis whose policy this program understands: nothing that follows could be judged by another one.
 * @throws InvalidEnvelopeError, InvalidPayloadError, UnsupportedVersionError
 */
export function openGenesis(bytes: Uint8Array): Signed<Genesis> {
  const genesis = openUnbound(kind, bytes)
  checkUnderstood(genesis.value.policy)
  checkTests(genesis.value.policy)
  return genesis
}

export { matchesFingerprint, networkFingerprint, networkIdText, parseNetworkId } from '../../identity/network-id.ts'
