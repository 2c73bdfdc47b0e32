import { toString as text } from 'uint8arrays/to-string'
import type { Invites } from '../../registry/admission/invites.ts'
import type { Author } from '../../registry/admission/orders/author.ts'
import type { GrantRow } from '../../registry/log/state/network-state.ts'
import type { InviteEndView, InvitesView, OpenInvite, PolicyChanges, PolicyView } from '../api/control-api.ts'
import type { NetworkNode } from '../network-node.ts'
import { policyChanges, policyView } from '../views/policy-view.ts'
import { refOf } from '../views/refs.ts'

/** Open invites, or the one whose id begins so, with those that each has let in. @throws NotFoundError, AmbiguousNameError */
export function openInvites({ registry }: NetworkNode, id: string | undefined): InvitesView {
  const { invites } = registry.admission
  const rows = id === undefined ? invites.list() : [invites.find(id)]
  return { invites: rows.map((row) => openInvite(registry, invites, row)) }
}

const openInvite = (
  registry: NetworkNode['registry'],
  invites: Pick<Invites, 'usersOf'>,
  row: GrantRow
): OpenInvite => {
  const { id, role, name, replaces, uses, notAfterMs, note, groups, ephemeralMs = null } = row.grant
  return {
    id: text(id, 'base16'),
    role,
    name: name ?? null,
    replaces: replaces ?? null,
    uses,
    taken: row.taken,
    expiresMs: notAfterMs,
    note,
    groups: [...groups],
    ephemeralMs,
    entry: row.n,
    members: invites.usersOf(row).map(({ publicKey }) => refOf(registry, publicKey))
  }
}

/** Takes one back; of one that was taken back it gives that entry. With `plan` it says what would happen. @throws NotFoundError, AmbiguousNameError */
export async function cancelInvite(
  network: NetworkNode,
  { id, reason, plan = false }: { id: string; reason: string; plan?: boolean | undefined },
  author: Author
): Promise<InviteEndView> {
  const { invites } = network.registry.admission
  const isOpen = invites.list().some((row) => text(row.grant.id, 'base16').startsWith(id.toLowerCase()))
  const before = isOpen ? undefined : invites.takenBack(id)
  if (before !== undefined) {
    return { id: text(before.body.id, 'base16'), entry: before.n, message: 'lets nobody in: it was ended before' }
  }
  if (plan) {
    const { grant, taken } = invites.find(id)
    const message = `would be taken back; it has let ${taken} of ${grant.uses} in, who would stay members`
    return { id: text(grant.id, 'base16'), entry: null, message }
  }
  const { grant, taken } = await network.registry.admission.cancelInvite(id, reason, author)
  const message = `is taken back; it had let ${taken} of ${grant.uses} in, who stay members`
  return { id: text(grant.id, 'base16'), entry: network.registry.replica.head.n, message }
}

/** @throws InvalidPayloadError */
export async function changePolicy(
  network: NetworkNode,
  { force = false, seen, ...changes }: PolicyChanges,
  author: Author
): Promise<PolicyView> {
  const options = { force, by: author, ...(seen !== undefined && { seen }) }
  await network.registry.admission.changePolicy(policyChanges(changes), options)
  return policyView(network)
}
