import { peerIdText } from '../../identity/keys.ts'
import type { Role } from '../../identity/role.ts'
import type { Author } from '../../registry/admission/orders/author.ts'
import type { LogEntry } from '../../registry/objects/entry.ts'
import type { Signed } from '../../registry/objects/envelope.ts'
import type { Registry } from '../../registry/registry.ts'
import type { ChangeView, MembersView } from '../api/control-api.ts'
import { formerName } from '../views/log-view.ts'
import { endedMember, findMember, renamedMember, requireMember } from '../views/peer-names.ts'
import { refOf } from '../views/refs.ts'

interface Changes {
  peer: string
  name?: string | undefined
  role?: Role | undefined
  groups?: string[] | undefined
  plan?: boolean | undefined
}

/** Changes name, role or groups of a member; with `plan` it says what would happen. @throws NotFoundError, NameTakenError, InvalidPayloadError */
export async function changeMember(
  registry: Registry,
  { peer, name, role, groups, plan = false }: Changes,
  author: Author
): Promise<ChangeView> {
  // Repeated by the name of before, it finds what it has made.
  const renamed = name === undefined || findMember(registry, peer) ? undefined : renamedMember(registry, peer)
  const { publicKey } = renamed?.name === name && renamed ? renamed : requireMember(registry, peer)
  const changes = {
    ...(name !== undefined && { name }),
    ...(role !== undefined && { role }),
    ...(groups !== undefined && { groups })
  }
  const { members } = registry.admission
  const planned = plan ? members.planned(publicKey, changes) : undefined
  if (planned !== undefined) {
    return changed(refOf(registry, publicKey), undefined, `would be ${wordsOf(planned.body)}`)
  }
  const entry = plan ? undefined : await members.change(publicKey, changes, author)
  const now = requireMember(registry, peerIdText(publicKey))
  const alike = name === undefined || entry === undefined ? [] : registry.namesLike(name)
  const warning = alike.length === 0 ? '' : `; its name looks like that of ${alike.join(', ')}`
  const message = `is ${entry === undefined ? 'already' : 'now'} ${wordsOf(now)}${warning}`
  return changed(refOf(registry, publicKey), entry, message)
}

const wordsOf = ({ name, role, groups }: { name: string; role: Role; groups: readonly string[] }): string =>
  `${name}, ${role}, ${groups.length === 0 ? 'in no group' : `in ${groups.join(', ')}`}`

/** Ends a membership without prejudice; with `plan` it says what would happen. @throws NotFoundError, InvalidPayloadError */
export async function endMember(
  registry: Registry,
  { peer, reason, plan = false }: { peer: string; reason: string; plan?: boolean | undefined },
  author: Author
): Promise<ChangeView> {
  const member = findMember(registry, peer)
  const ended = member === undefined ? endedMember(registry, peer) : undefined
  if (ended !== undefined) {
    const message = 'is a member no more: its membership was ended before'
    return {
      peerId: peerIdText(ended.publicKey),
      name: formerName(registry, ended.publicKey),
      entry: ended.entry.n,
      message
    }
  }
  const { publicKey, ephemeralMs } = member ?? requireMember(registry, peer)
  const ref = refOf(registry, publicKey)
  const back =
    ephemeralMs === undefined ? 'a new invite lets it in again' : 'it comes back by its invite while that is open'
  if (plan) return changed(ref, undefined, `would be let go: its connections are closed and its name is free; ${back}`)
  const entry = await registry.admission.members.end(publicKey, reason, author)
  return changed(ref, entry, `is a member no more, and its name is free; ${back}`)
}

/** Takes a secondary out of the set of registries; with `plan` it says what would happen. @throws as endMember */
export async function retireRegistry(
  registry: Registry,
  { peer, plan = false }: { peer: string; plan?: boolean | undefined },
  author: Author
): Promise<ChangeView> {
  const { publicKey, role } = requireMember(registry, peer)
  const ref = refOf(registry, publicKey)
  if (plan) {
    const what =
      role === 'secondary'
        ? 'would be an ordinary member: nodes take other registries'
        : `is ${role}: nothing would change`
    return changed(ref, undefined, what)
  }
  const entry = await registry.admission.members.retire(publicKey, author)
  if (entry === undefined) return changed(ref, entry, 'is no secondary: nothing was changed')
  return changed(
    ref,
    entry,
    `is no registry any more, but a member still: take its address out of the tnr record (trustnet dns check), and set role: integrated in its configuration`
  )
}

const changed = (
  ref: Pick<ChangeView, 'peerId' | 'name'>,
  entry: Signed<LogEntry> | undefined,
  message: string
): ChangeView => ({
  ...ref,
  entry: entry?.value.n ?? null,
  message
})

/** Members by name, as the log says. */
export function membersView({ replica }: Registry): MembersView {
  const rows = [...replica.state.members()].map(
    ({ publicKey, name, role, groups, ephemeralMs = null, notAfterMs, admitN }) => ({
      peerId: peerIdText(publicKey),
      name,
      role,
      groups: [...groups],
      ephemeralMs,
      expiresMs: notAfterMs,
      entry: admitN
    })
  )
  return { members: rows.toSorted((a, b) => (a.name < b.name ? -1 : 1)) }
}
