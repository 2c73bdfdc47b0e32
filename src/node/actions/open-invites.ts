import { toString as text } from 'uint8arrays/to-string'
import type { Invites } from '../../registry/admission/invites.ts'
import type { Author } from '../../registry/admission/orders/author.ts'
import type { GrantRow } from '../../registry/log/state/network-state.ts'
import type { Grant } from '../../registry/objects/grant.ts'
import type { InviteEndView, InvitesView, ListedInvite, PolicyChanges, PolicyView } from '../api/control-api.ts'
import type { NetworkNode } from '../network-node.ts'
import { policyChanges, policyView } from '../views/policy-view.ts'
import { refOf } from '../views/refs.ts'
import { type EndedInvite, endedInvites } from './registry/ended-invites.ts'

/**
 * Open invites, or the one whose id begins so, with those that each has let in; with `all` the ended ones, too, as long as the log has their entries.
 * @throws NotFoundError, AmbiguousNameError
 */
export async function listInvites({ registry }: NetworkNode, { id, all = false }: InvitesQuery): Promise<InvitesView> {
  const { invites } = registry.admission
  const openOnes = (rows: readonly GrantRow[]): ListedInvite[] => rows.map((row) => openInvite(registry, invites, row))
  if (id === undefined && !all) return { invites: openOnes(invites.list()) }
  const ended = (await endedInvites(registry)).map((each) => endedInvite(registry, each))
  if (id === undefined)
    return { invites: [...ended, ...openOnes(invites.list())].toSorted((a, b) => a.entry - b.entry) }
  const past = ended.filter((each) => id !== '' && each.id.startsWith(id.toLowerCase()))
  return { invites: past.length === 1 && !isOpen(invites, id) ? past : openOnes([invites.find(id)]) }
}

interface InvitesQuery {
  id?: string | undefined
  all?: boolean | undefined
}

const isOpen = (invites: Pick<Invites, 'list'>, id: string): boolean =>
  invites.list().some(({ grant }) => text(grant.id, 'base16').startsWith(id.toLowerCase()))

const openInvite = (
  registry: NetworkNode['registry'],
  invites: Pick<Invites, 'usersOf'>,
  row: GrantRow
): ListedInvite => ({
  ...grantFields(row.grant),
  state: row.grant.notAfterMs < registry.replica.timeMs ? 'over' : 'open',
  reason: null,
  taken: row.taken,
  entry: row.n,
  members: invites.usersOf(row).map(({ publicKey }) => refOf(registry, publicKey))
})

const endedInvite = (registry: NetworkNode['registry'], { grant, n, users, end }: EndedInvite): ListedInvite => ({
  ...grantFields(grant),
  state: end === undefined ? 'used' : end.timeMs > grant.notAfterMs ? 'over' : 'cancelled',
  reason: end?.reason ?? null,
  taken: users.length,
  entry: n,
  members: users.map(({ publicKey, name }) => {
    const ref = refOf(registry, publicKey)
    return { ...ref, name: ref.name ?? name }
  })
})

const grantFields = ({ id, role, name, replaces, uses, notAfterMs, note, groups, ephemeralMs }: Grant) => ({
  id: text(id, 'base16'),
  role,
  name: name ?? null,
  replaces: replaces ?? null,
  uses,
  expiresMs: notAfterMs,
  note,
  groups: [...groups],
  ephemeralMs: ephemeralMs ?? null
})

/** Takes one back; of one that was taken back it gives that entry. With `plan` it says what would happen. @throws NotFoundError, AmbiguousNameError */
export async function cancelInvite(
  network: NetworkNode,
  { id, reason, plan = false }: { id: string; reason: string; plan?: boolean | undefined },
  author: Author
): Promise<InviteEndView> {
  const { invites } = network.registry.admission
  const before = isOpen(invites, id) ? undefined : invites.takenBack(id)
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
  const whole = text(grant.id, 'base16')
  // Others may have appended meanwhile: the head is another entry then.
  return { id: whole, entry: invites.takenBack(whole)?.n ?? null, message }
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
