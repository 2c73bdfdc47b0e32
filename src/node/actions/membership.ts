import { peerIdText } from '../../identity/keys.ts'
import type { Author } from '../../registry/admission/orders/author.ts'
import type { PendingJoin } from '../../registry/events.ts'
import { readStoredEntry } from '../../registry/log/state/stored-entry.ts'
import { payloadHash } from '../../registry/objects/envelope.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { NotFoundError, RefusedError, UnavailableError } from '../../runtime/errors.ts'
import type { ChangeView, RejectedView, WaitingQuery } from '../api/control-api.ts'
import { formatDuration } from '../config/durations.ts'
import { byEnd, findMember, keyOfPeerId, noSuchMember, requireMember, revokedByName } from '../views/peer-names.ts'
import { refOf } from '../views/refs.ts'
import type { RemoteAuthor } from './ordered.ts'
import { approveJoin, isRemote, waitingJoin } from './waiting-orders.ts'

/** Lets in one that waits; who is a member by now needs it no more. @throws NotFoundError */
export async function approve(registry: Registry, peer: string, author: Author | RemoteAuthor): Promise<ChangeView> {
  try {
    return await approveWaiting(registry, peer, author)
  } catch (error) {
    const member = error instanceof NotFoundError ? findMember(registry, peer) : undefined
    if (member === undefined) throw error
    const { publicKey, admitN, role } = member
    const message = `is a member already, as ${role}`
    return { ...refOf(registry, publicKey), entry: admitN, message }
  }
}

async function approveWaiting(registry: Registry, peer: string, author: Author | RemoteAuthor): Promise<ChangeView> {
  const { value } = isRemote(author)
    ? await approveJoin(registry, (await waitingJoin(author, peer)).bytes, author)
    : readStoredEntry((await registry.admission.approve(waitingNamed(registry, peer))).admit)
  if (value.kind !== 'admit')
    throw new UnavailableError('the admission is not in the log yet: look again in a moment', 1_000)
  const { publicKey, name, role } = value.body
  const alike = registry.namesLike(name)
  const warning = alike.length === 0 ? '' : `; its name looks like that of ${alike.join(', ')}`
  return {
    ...refOf(registry, publicKey),
    entry: value.n,
    message: `is a member now, as ${role}${warning}`
  }
}

/** Turns away one that waits; with `plan` it says what would happen. @throws NotFoundError */
export async function reject(
  registry: Registry,
  { peer, reason, plan = false }: { peer: string; reason: string; plan?: boolean | undefined },
  author: Author | RemoteAuthor
): Promise<ChangeView> {
  const message = plan ? wouldBeTurnedAway : turnedAway
  if (isRemote(author)) {
    const { bytes, join } = await waitingJoin(author, peer)
    if (!plan) await author.reject(payloadHash(bytes), reason)
    return { peerId: peerIdText(join.publicKey), name: join.name, entry: null, message }
  }
  const who = waitingNamed(registry, peer)
  const waiting = registry.admission.pending()
  const joiner = waiting.find(({ publicKey, name }) => name === who || peerIdText(publicKey) === who)
  if (plan && joiner === undefined) throw nothingWaits(peer)
  if (!plan) await registry.admission.reject(who, reason)
  const peerId = joiner === undefined ? who : peerIdText(joiner.publicKey)
  return { peerId, name: joiner?.name ?? null, entry: null, message }
}

const turnedAway = 'was turned away; only an invite lets it in from now on'
const wouldBeTurnedAway = 'would be turned away; only an invite would let it in from then on'

/** Shuts a key out for ever; with `plan` it says what would happen. @throws NotFoundError, RefusedError */
export async function revoke(
  registry: Registry,
  { peer, reason, plan = false }: { peer: string; reason: string; plan?: boolean | undefined },
  author: Author
): Promise<ChangeView> {
  const publicKey = keyToRevoke(registry, peer)
  const ref = refOf(registry, publicKey)
  const before = registry.replica.state.revoked(publicKey)
  if (plan && before === undefined) return planOfRevoke(registry, peer, ref)
  if (before === undefined) await registry.admission.revoke(publicKey, reason, author)
  const entry = registry.replica.state.revoked(publicKey)?.n ?? null
  const message = before === undefined ? 'is revoked: its key is shut out for ever' : 'was revoked before'
  return { ...ref, entry, message }
}

function planOfRevoke(registry: Registry, peer: string, ref: ReturnType<typeof refOf>): ChangeView {
  const { role } = requireMember(registry, peer)
  if (role === 'root') throw new RefusedError('the root cannot be revoked: promote a secondary first')
  const held = formatDuration(registry.replica.state.policy.nameHoldMs)
  const message = `would be shut out: its connections are closed, its key is never admitted again, and its name is held for ${held}`
  return { ...ref, entry: null, message }
}

/** A member, any whole PeerId, or by its name whoever was revoked before: the command may be repeated. */
const keyToRevoke = (registry: Registry, peer: string): Uint8Array => {
  const known = keyOfPeerId(peer) ?? findMember(registry, peer)?.publicKey ?? revokedByName(registry, peer)?.publicKey
  if (known === undefined) throw noSuchMember(registry, peer)
  return known
}

/** The end of a PeerId stands for the only one that waits under it; all else the registry finds, or says what is wrong. */
const waitingNamed = ({ admission }: Registry, peer: string): string => {
  const waiting = admission.pending()
  if (keyOfPeerId(peer) !== undefined || waiting.some(({ name }) => name === peer)) return peer
  const found = byEnd(waiting, peer)
  if (found !== undefined) return peerIdText(found.publicKey)
  throw nothingWaits(peer)
}

const nothingWaits = (peer: string): NotFoundError =>
  new NotFoundError(`no join of ${peer} waits: \`trustnet registry pending\` lists them`)

/** Turns all away that wait at this root and fit; with `plan` it counts them. */
export const rejectAllWaiting = async (
  { registry, clock }: { registry: Registry; clock: Clock },
  { olderMs = 0, matching = '*', plan = false }: WaitingQuery,
  reason: string
): Promise<RejectedView> => {
  const newestMs = clock.now() - olderMs
  const parts = matching.split('*')
  const fits = ({ name, sinceMs }: PendingJoin): boolean => sinceMs <= newestMs && hasParts(name, parts)
  if (plan) return { rejected: registry.admission.pending().filter(fits).length }
  return { rejected: await registry.admission.rejectAll(fits, reason) }
}

/** Tells whether the text has these parts one after the other, the first at its begin and the last at its end. */
const hasParts = (text: string, [first = '', ...others]: readonly string[]): boolean => {
  if (!text.startsWith(first)) return false
  const last = others.pop()
  if (last === undefined) return text === first
  let at = first.length
  for (const part of others) {
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}
