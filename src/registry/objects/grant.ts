import { randomBytes } from 'node:crypto'
import {
  checkBytes,
  checkCount,
  checkHash,
  checkKey,
  checkName,
  checkTime,
  grantIdBytes
} from '../../identity/checked-bytes.ts'
import type { SigningKey } from '../../identity/keys.ts'
import { type Role, roles } from '../../identity/role.ts'
import { Envelope, Grant as GrantMessage } from '../pb/registry.ts'
import { roleOrExternal } from './entry-bodies.ts'
import { domains, type Signed } from './envelope.ts'
import { type OpenOptions, openSigned, openSignedAsync, type SignedKind, sealSigned } from './signed.ts'

/** What an invite allows, signed by the log key. */
export interface Grant {
  networkId: Uint8Array
  /** 16 random bytes. */
  id: Uint8Array
  /** Public half of the one-time key whose seed is in the invite. */
  inviteKey: Uint8Array
  role: Role
  /** Without it the joiner chooses. */
  name?: string
  /** Name of the member whose place is taken. */
  replaces?: string
  uses: number
  notAfterMs: number
}

export const maxGrantUses = 100_000

export const newGrantId = (): Uint8Array => Uint8Array.from(randomBytes(grantIdBytes))

const kind: SignedKind<Grant, GrantMessage> = {
  what: 'grant',
  domain: domains.grant,
  codec: GrantMessage,
  toMessage: (value) => ({ ...value, role: roles[value.role] }),
  fromMessage: ({ networkId, id, inviteKey, role, name, replaces, uses, notAfterMs }) => ({
    networkId,
    id,
    inviteKey,
    role: roleOrExternal(role),
    ...(name !== '' && { name }),
    ...(replaces !== '' && { replaces }),
    uses,
    notAfterMs
  }),
  check(value) {
    checkHash(value.networkId, 'network id of the grant')
    checkBytes(value.id, grantIdBytes, 'id of the grant')
    checkKey(value.inviteKey, 'invite key')
    if (value.name !== undefined) checkName(value.name, 'name in the grant')
    if (value.replaces !== undefined) checkName(value.replaces, 'replaced name in the grant')
    checkCount(value.uses, 1, maxGrantUses, 'uses of the grant')
    checkTime(value.notAfterMs, 'end of the grant')
  },
  // A log key: the log tells which.
  signers: () => undefined
}

/** @throws InvalidPayloadError */
export const sealGrant = (grant: Grant, logKey: SigningKey): Signed<Grant> => sealSigned(kind, grant, logKey)

/**
 * Whether the signer is a log key is the caller's question.
 * @throws InvalidEnvelopeError, InvalidPayloadError, WrongNetworkError, UnsupportedVersionError
 */
export const openGrant = (bytes: Uint8Array, networkId: Uint8Array, options?: OpenOptions): Signed<Grant> =>
  openSigned(kind, bytes, networkId, options)

/** The same with the signature checked in the thread pool. */
export const openGrantAsync = (bytes: Uint8Array, networkId: Uint8Array): Promise<Signed<Grant>> =>
  openSignedAsync(kind, bytes, networkId)

/** Id of a grant whose bytes were verified before they were stored. */
export const readStoredGrantId = (bytes: Uint8Array): Uint8Array =>
  GrantMessage.decode(Envelope.decode(bytes).payload).id
