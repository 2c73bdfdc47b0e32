import { encodeInvite } from '../../../src/registry/objects/invite.ts'
import { aGrant, keyOf, networkId } from '../signed-objects.ts'

/** The line of an invite that is open for an hour, to a network that nobody serves. */
export const exampleInvite = (): string =>
  encodeInvite({
    domain: 'example.org',
    networkId,
    registries: [{ publicKey: keyOf(5).publicKey, addrs: ['/ip6/2001:db8::1/tcp/8000'] }],
    grant: {
      id: aGrant.id,
      role: aGrant.role,
      notAfterMs: Date.now() + 3_600_000,
      epoch: 0,
      n: 3,
      hash: new Uint8Array(32)
    },
    inviteKey: keyOf(7)
  })
