import { SigningKey } from '../../../src/identity/keys.ts'
import type { EntryDraft } from '../../../src/registry/log/log-writer.ts'
import { newGrantId } from '../../../src/registry/objects/grant.ts'
import { makeJoin } from '../../../src/registry/objects/join.ts'
import { memberKey, memberName, memberRole } from './members.ts'

const hour = 3_600_000

/** What an admission by invite leaves in the log, with all its signatures: the invite, and its use. */
export function admission(networkId: Uint8Array, number: number, membershipMs: number): EntryDraft[] {
  const key = memberKey(number)
  const inviteKey = SigningKey.generate()
  const timeMs = Date.now()
  const role = memberRole(number)
  const grant = {
    id: newGrantId(),
    inviteKey: inviteKey.publicKey,
    role,
    groups: [],
    uses: 1,
    notAfterMs: timeMs + hour,
    note: ''
  }
  const name = memberName(number)
  const join = makeJoin({ networkId, key, name, role, grant, inviteKey, timeMs })
  const notAfterMs = timeMs + membershipMs
  return [
    { kind: 'grant', body: grant },
    {
      kind: 'admit',
      body: { publicKey: key.publicKey, name, role, notAfterMs, via: 'invite', grantId: grant.id, join }
    }
  ]
}
