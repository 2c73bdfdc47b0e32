import { toString as text } from 'uint8arrays/to-string'
import { isRegistryRole } from '../../identity/role.ts'
import type { InviteOptions } from '../../registry/admission/invites.ts'
import type { Author } from '../../registry/admission/orders/author.ts'
import { encodeInvite, type InviteRegistry } from '../../registry/objects/invite.ts'
import { aborted, within } from '../../runtime/abort.ts'
import type { InviteQuery } from '../api/control-api.ts'
import type { InviteView } from '../api/invite-views.ts'
import type { NetworkNode } from '../network-node.ts'
import { networkRef } from '../views/refs.ts'

/** Registries that an invite line may hold. */
const maxRegistries = 16
const maxAddrs = 8
/** A root that has just started hears others out before it appends: a little less than a command waits for its answer. */
const fenceWaitMs = 25_000

/**
 * Makes the line that lets a machine in, with all that it needs to find the network without DNS.
 * @throws InvalidPayloadError, NotFoundError, NameTakenError, LimitError
 */
export async function issueInvite(
  network: NetworkNode,
  self: Uint8Array,
  query: InviteQuery,
  signal: AbortSignal,
  author: Author
): Promise<InviteView> {
  const { registry } = network
  await Promise.race([registry.root?.released, aborted(within(fenceWaitMs, signal))])
  const { name } = query
  const { grant, inviteKey } = await registry.admission.invite(optionsOf(query), author)
  const { domain } = registry.genesis.value
  const registries = registriesOf(network, self)
  const line = encodeInvite({
    domain,
    networkId: registry.networkId,
    registries,
    grant,
    inviteKey
  })
  return {
    line,
    id: text(grant.id, 'base16'),
    role: grant.role,
    name: grant.name ?? null,
    replaces: grant.replaces ?? null,
    uses: grant.uses,
    expiresMs: grant.notAfterMs,
    network: networkRef(registry.genesis),
    looksLike: name === undefined ? [] : registry.namesLike(name),
    registries: registries.filter(({ addrs }) => addrs.length > 0).length
  }
}

const optionsOf = ({
  role = 'integrated',
  name,
  replaces,
  uses,
  ttlMs,
  note,
  groups,
  ephemeralMs
}: InviteQuery): InviteOptions => ({
  role,
  ...(name !== undefined && { name }),
  ...(replaces !== undefined && { replaces }),
  ...(uses !== undefined && { uses }),
  ...(ttlMs !== undefined && { ttlMs }),
  ...(note !== undefined && { note }),
  ...(groups !== undefined && { groups }),
  ...(ephemeralMs !== undefined && { ephemeralMs })
})

/** The root first: it alone can admit. One without an address is named too: its key is a pin. */
const registriesOf = ({ registry, announced }: NetworkNode, self: Uint8Array): InviteRegistry[] => {
  const registries = registry.replica.state.registries().filter(({ role }) => isRegistryRole(role))
  registries.sort((a, b) => Number(b.role === 'root') - Number(a.role === 'root'))
  return registries.slice(0, maxRegistries).map(({ publicKey }) => {
    const isSelf = Buffer.compare(publicKey, self) === 0
    const addrs = isSelf ? announced : (registry.records.read(publicKey)?.addrs ?? [])
    return { publicKey, addrs: addrs.slice(0, maxAddrs) }
  })
}
