import type { IssuedInvite } from '../../../src/registry/admission/invites.ts'

/** What travels between the processes of a benchmark. */
export interface EncodedInvite {
  /** Id of its grant. */
  id: Uint8Array
  seed: Uint8Array
}

export const encodedInvite = ({ grant, inviteKey }: IssuedInvite): EncodedInvite => ({
  id: grant.id,
  seed: inviteKey.seed
})
