import type { IssuedInvite } from '../../src/registry/admission/invites.ts'

/** What travels between the processes of a benchmark. */
export interface EncodedInvite {
  grant: Uint8Array
  seed: Uint8Array
}

export const encodedInvite = ({ grant, inviteKey }: IssuedInvite): EncodedInvite => ({
  grant: grant.bytes,
  seed: inviteKey.seed
})
