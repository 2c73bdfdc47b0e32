import { at } from '../../identity/bytes.ts'
import { peerIdText } from '../../identity/keys.ts'
import type { Author } from '../../registry/admission/orders/author.ts'
import type { WaitingActs } from '../../registry/admission/orders/waiting-orders.ts'
import type { EntryDraft } from '../../registry/log/log-writer.ts'
import { readStoredEntry } from '../../registry/log/state/stored-entry.ts'
import { entryKinds, type LogEntry } from '../../registry/objects/entry.ts'
import type { Signed } from '../../registry/objects/envelope.ts'
import { type Join, readStoredJoin } from '../../registry/objects/join.ts'
import { contentOf } from '../../registry/objects/orders/act.ts'
import type { Registry } from '../../registry/registry.ts'
import { InvalidPayloadError, NotFoundError, NotOperatorError, RefusedError } from '../../runtime/errors.ts'
import type { OperatorView, WaitingOrdersView } from '../api/registry-views.ts'
import { byEnd } from '../views/peer-names.ts'
import { waitingOrdersView } from './operators.ts'
import type { RemoteAuthor } from './ordered.ts'

export const isRemote = (author: Author | RemoteAuthor): author is RemoteAuthor => 'waiting' in author

/** Acts and joins that wait at the root: asked for, or here. */
export const waitingFor = async (
  { admission }: Registry,
  author: Author | RemoteAuthor
): Promise<readonly WaitingActs[]> => (isRemote(author) ? await author.waiting() : admission.orders.waiting())

export const waitingOrders = async (registry: Registry, author: Author | RemoteAuthor): Promise<WaitingOrdersView> =>
  waitingOrdersView(registry, await waitingFor(registry, author))

/**
 * Orders what another operator has ordered.
 * @throws NotFoundError, SecondOperatorError for the one who ordered it first
 */
export async function approveOrder(
  registry: Registry,
  id: string,
  author: Author | RemoteAuthor
): Promise<OperatorView> {
  const waiting = (await waitingFor(registry, author)).find((each) => each.id === id && id !== '')
  if (waiting === undefined) {
    throw new NotFoundError(`nothing waits as ${id}: \`trustnet operator pending\` lists it, for a day`)
  }
  const [first] = waiting.acts
  const join = first?.kind === entryKinds.admit ? first.body : undefined
  const entries =
    join === undefined
      ? await author.append(waiting.acts.map((act) => draftOf(contentOf(act))))
      : [await approveJoin(registry, join, author)]
  const n = entries.at(-1)?.value.n ?? null
  return { name: id, keyId: peerIdText(registry.networkId), entry: n, message: 'is done' }
}

/**
 * Takes back what waits for a second operator. What does not wait any more is said, and is no failure.
 * @throws RefusedError for what another operator has ordered, NotOperatorError
 */
export async function withdrawOrder(
  registry: Registry,
  { id, plan = false }: { id: string; plan?: boolean | undefined },
  author: Author | RemoteAuthor
): Promise<OperatorView> {
  const found = (await waitingFor(registry, author)).filter((each) => each.id === id)
  const [waiting] = waitingOrdersView(registry, found).waiting
  const said = (message: string): OperatorView => ({
    name: id,
    keyId: peerIdText(registry.networkId),
    entry: null,
    message
  })
  const isGone = 'does not wait: it was done, or taken back, or is older than a day'
  if (waiting === undefined) return said(isGone)
  const what = waiting.acts.map(({ kind }) => kind).join(', ')
  if (plan) return said(`would be taken back: ${what}, ordered by ${waiting.by.join(', ')}`)
  try {
    await withdrawBy(registry, id, author)
  } catch (error) {
    // Somebody else was faster.
    if (error instanceof NotFoundError) return said(isGone)
    if (!(error instanceof InvalidPayloadError)) throw error
    // The root says no more than that.
    throw new RefusedError(`${id} was ordered by ${waiting.by.join(', ')}, who alone takes it back`, { cause: error })
  }
  return said(`is taken back: ${what}`)
}

async function withdrawBy(registry: Registry, id: string, author: Author | RemoteAuthor): Promise<void> {
  if (isRemote(author)) return await author.withdraw(id)
  const publicKey = registry.root?.operator
  if (publicKey === undefined) {
    throw new NotOperatorError('no key of an operator is on this machine: give one with --as KEYFILE')
  }
  await registry.admission.orders.withdraw(id, { publicKey, timeMs: registry.replica.ledger.clock.now() })
}

function draftOf(content: ReturnType<typeof contentOf>): EntryDraft {
  const isOne = content.kind !== 'unknown' && content.kind !== 'delegate' && content.kind !== 'authority'
  if (isOne && !('join' in content)) return content
  throw new InvalidPayloadError('what waits is of another version: update this program')
}

/** The approval of a join; the root puts the end of the membership into the entry. */
const approvalOf = (join: Uint8Array, { publicKey, name, role }: Join): EntryDraft => ({
  kind: 'admit',
  body: { publicKey, name, role, notAfterMs: 0, via: 'approved', join }
})

/** Approves one that waits; gives the entry. */
export async function approveJoin(
  { admission }: Registry,
  bytes: Uint8Array,
  author: Author | RemoteAuthor
): Promise<Signed<LogEntry>> {
  const join = readStoredJoin(bytes)
  if (isRemote(author)) return at(await author.append([approvalOf(bytes, join)]), 0)
  return readStoredEntry((await admission.approve(join.publicKey)).admit)
}

/** The join that waits at the root under this name, PeerId or end of one. @throws NotFoundError, AmbiguousNameError */
export async function waitingJoin(author: RemoteAuthor, who: string): Promise<{ bytes: Uint8Array; join: Join }> {
  const joins = (await author.waiting()).flatMap(({ id, acts }) =>
    id === ''
      ? acts.map(({ body }) => ({ bytes: body, join: readStoredJoin(body), publicKey: readStoredJoin(body).publicKey }))
      : []
  )
  const named = joins.filter(({ join }) => join.name === who || peerIdText(join.publicKey) === who)
  if (named.length > 1) throw new InvalidPayloadError(`several wait as ${who}: give the PeerId`)
  const found = named[0] ?? byEnd(joins, who)
  if (found !== undefined) return found
  throw new NotFoundError(`no join of ${who} waits at the root: \`trustnet operator pending\` lists them`)
}
