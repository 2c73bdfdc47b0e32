import { SigningKey } from '../../src/identity/keys.ts'
import type { EntryDraft } from '../../src/registry/log/log-writer.ts'
import { newGrantId, sealGrant } from '../../src/registry/objects/grant.ts'
import { makeJoin } from '../../src/registry/objects/join.ts'
import { memberKey, memberName, memberRole } from './members.ts'

const hour = 3_600_000

/** What an admission by invite leaves in the log, with all its signatures. */
export function admission(networkId: Uint8Array, logKey: SigningKey, number: number, membershipMs: number): EntryDraft {
  const key = memberKey(number)
  const inviteKey = SigningKey.generate()
  const timeMs = Date.now()
  const role = memberRole(number)
  const grant = sealGrant(
    { networkId, id: newGrantId(), inviteKey: inviteKey.publicKey, role, uses: 1, notAfterMs: timeMs + hour },
    logKey
  )
  const name = memberName(number)
  const join = makeJoin({ networkId, key, name, role, grant, inviteKey, timeMs })
  const notAfterMs = timeMs + membershipMs
  return {
    kind: 'admit',
    body: { publicKey: key.publicKey, name, role, notAfterMs, via: 'invite', grant: grant.bytes, join }
  }
}
