import { base64url } from 'multiformats/bases/base64'
import { concat } from 'uint8arrays/concat'
import { equals } from 'uint8arrays/equals'
import { decodeAddr, encodeAddr } from '../../address/multiaddr.ts'
import {
  checkBytes,
  checkDomain,
  checkHash,
  checkKey,
  checkName,
  checkPosition,
  checkTime,
  grantIdBytes
} from '../../identity/checked-bytes.ts'
import { sha256 } from '../../identity/hash.ts'
import { SigningKey } from '../../identity/keys.ts'
import { type Role, roleOrExternal, roles } from '../../identity/role.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { InviteInvalidError } from '../../runtime/errors.ts'
import { Invite as InviteMessage } from '../pb/registry.ts'
import { maxAddrs } from './record.ts'
import { decodeStrictly, payloadVersion } from './signed.ts'

/** A registry that a joiner can dial without DNS. */
export interface InviteRegistry {
  publicKey: Uint8Array
  /** `/ip6/…/tcp/…`, without /p2p. */
  addrs: string[]
}

/** Grant that an invite belongs to, and where its entry stands in the log: a history without it is not the one that invited. */
export interface InviteGrant {
  id: Uint8Array
  role: Role
  /** Without it the joiner chooses. */
  name?: string
  notAfterMs: number
  epoch: number
  n: number
  /** Hash of the grant entry. */
  hash: Uint8Array
}

/** The line that `trustnet invite` prints. It holds a secret: the seed of the invite key, which is never sent. */
export interface Invite {
  domain: string
  networkId: Uint8Array
  registries: InviteRegistry[]
  grant: InviteGrant
  inviteKey: SigningKey
}

/** Prefix of the line: its name and its version. */
const prefix = 'tnet1'
const lengthBytes = 2
const checksumBytes = 4
const maxRegistries = 16
/** 16 registries with 8 addresses each, and the rest, in base64: room to spare. */
const maxLineChars = 16_384

const checksum = (body: Uint8Array): Uint8Array => sha256(body).subarray(0, checksumBytes)

/** One line: `tnet1`, then base64url of length (2 bytes), message and the first 4 bytes of the message's SHA-256. */
export function encodeInvite(invite: Invite): string {
  checkInvite(invite)
  const body = InviteMessage.encode({
    version: payloadVersion,
    domain: invite.domain,
    networkId: invite.networkId,
    registries: invite.registries.map(({ publicKey, addrs }) => ({ publicKey, addrs: addrs.map(encodeAddr) })),
    grantId: invite.grant.id,
    epoch: invite.grant.epoch,
    n: invite.grant.n,
    entryHash: invite.grant.hash,
    role: roles[invite.grant.role],
    name: invite.grant.name ?? '',
    notAfterMs: invite.grant.notAfterMs,
    seed: invite.inviteKey.seed
  })
  const length = Uint8Array.of(body.length >> 8, body.length & 0xff)
  return prefix + base64url.baseEncode(concat([length, body, checksum(body)]))
}

/**
 * Spaces and line breaks that mail or a terminal put into the line do not count.
 * @throws InviteInvalidError saying whether the line is none, cut off, mistyped or of a newer version
 */
export function decodeInvite(text: string): Invite {
  const message = decodeMessage(bodyOf(text))
  if (message.version !== payloadVersion) {
    throw new InviteInvalidError('the invite is of a newer version: update this program')
  }
  try {
    const invite: Invite = {
      domain: message.domain,
      networkId: message.networkId,
      registries: message.registries.map(({ publicKey, addrs }) => ({ publicKey, addrs: addrs.map(decodeAddr) })),
      grant: grantOf(message),
      inviteKey: SigningKey.fromSeed(message.seed)
    }
    checkInvite(invite)
    return invite
  } catch (error) {
    if (error instanceof InviteInvalidError) throw error
    throw new InviteInvalidError(`the invite is not valid: ${reasonOf(error)}`, { cause: error })
  }
}

function checkInvite(invite: Invite): void {
  checkDomain(invite.domain, 'domain of the invite')
  checkHash(invite.networkId, 'network id of the invite')
  if (invite.registries.length > maxRegistries || invite.registries.some(({ addrs }) => addrs.length > maxAddrs)) {
    throw new InviteInvalidError(`an invite names at most ${maxRegistries} registries with ${maxAddrs} addresses each`)
  }
  for (const { publicKey } of invite.registries) checkKey(publicKey, 'registry key of the invite')
  const { id, name, notAfterMs, epoch, n, hash } = invite.grant
  checkBytes(id, grantIdBytes, 'grant id of the invite')
  if (name !== undefined) checkName(name, 'name in the invite')
  checkTime(notAfterMs, 'end of the invite')
  checkPosition(epoch, 0, 'epoch of the invite')
  checkPosition(n, 1, 'position of the invite')
  checkHash(hash, 'entry hash of the invite')
}

const grantOf = ({ grantId, role, name, notAfterMs, epoch, n, entryHash }: InviteMessage): InviteGrant => ({
  id: grantId,
  role: roleOrExternal(role),
  ...(name !== '' && { name }),
  notAfterMs,
  epoch,
  n,
  hash: entryHash
})

function bodyOf(given: string): Uint8Array {
  if (given.length > maxLineChars) throw new InviteInvalidError('too long for an invite: copy the one line again')
  const line = given.replaceAll(/\s/g, '')
  if (!line.startsWith(prefix)) {
    const isNewer = /^tnet\d/.test(line)
    throw new InviteInvalidError(
      isNewer ? 'the invite is of a newer version: update this program' : `no invite: the line begins with ${prefix}`
    )
  }
  const text = line.slice(prefix.length)
  const [high = 0, low = 0] = decodeBase64(text.slice(0, 4).padEnd(4, 'A'))
  const length = (high << 8) | low
  const missingChars = Math.ceil(((lengthBytes + length + checksumBytes) * 4) / 3) - text.length
  if (text.length < 4 || missingChars > 0) {
    throw new InviteInvalidError('the end of the invite is missing: copy the whole line')
  }
  if (missingChars < 0) throw wrongCharacter(undefined)
  const bytes = decodeBase64(text)
  const body = bytes.subarray(lengthBytes, lengthBytes + length)
  if (!equals(checksum(body), bytes.subarray(lengthBytes + length))) throw wrongCharacter(undefined)
  return body
}

const wrongCharacter = (cause: unknown): InviteInvalidError =>
  new InviteInvalidError('the invite has a wrong character: copy the line again', { cause })

function decodeBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(base64url.baseDecode(text))
  } catch (error) {
    throw wrongCharacter(error)
  }
}

function decodeMessage(body: Uint8Array): InviteMessage {
  try {
    return decodeStrictly(InviteMessage, body, 'invite')
  } catch (error) {
    throw new InviteInvalidError('the invite cannot be decoded', { cause: error })
  }
}
