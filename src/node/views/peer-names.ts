import { distance } from 'fastest-levenshtein'
import { peerIdText, publicKeyOf } from '../../identity/keys.ts'
import type { Member, RevokedRow } from '../../registry/log/state/network-state.ts'
import { readStoredEntry } from '../../registry/log/state/stored-entry.ts'
import { entryKinds, type LogEntry } from '../../registry/objects/entry.ts'
import type { Registry } from '../../registry/registry.ts'
import { AmbiguousNameError, NotFoundError } from '../../runtime/errors.ts'
import { formerName } from './log-view.ts'

/** Every Ed25519 PeerId begins alike, so its end is what people copy; fewer characters than these fit too many. */
export const minEndChars = 6
/** Letters that may differ in a name that is offered instead. */
const maxTypos = 2

interface Keyed {
  readonly publicKey: Uint8Array
}

/** undefined: no whole PeerId. */
export const keyOfPeerId = (text: string): Uint8Array | undefined => {
  try {
    return publicKeyOf(text)
  } catch {
    return undefined
  }
}

/**
 * The only one whose PeerId ends so; undefined: none does.
 * @throws AmbiguousNameError when several do
 */
export function byEnd<T extends Keyed>(all: Iterable<T>, end: string): T | undefined {
  if (end.length < minEndChars) return undefined
  const fitting = new Map<string, T>()
  for (const one of all) {
    const peerId = peerIdText(one.publicKey)
    if (peerId.endsWith(end)) fitting.set(peerId, one)
  }
  if (fitting.size < 2) return [...fitting.values()][0]
  const some = [...fitting.keys()].slice(0, 4).join(', ')
  throw new AmbiguousNameError(`${fitting.size} PeerIds end with ${end} (${some}): give more of its characters`)
}

/**
 * A member by its name, its PeerId, or the end of its PeerId.
 * @throws AmbiguousNameError
 */
export function findMember({ replica }: Pick<Registry, 'replica'>, text: string): Member | undefined {
  const { state } = replica
  const key = keyOfPeerId(text)
  if (key !== undefined) return state.member(key)
  return state.memberByName(text) ?? byEnd(state.members(), text)
}

/** @throws NotFoundError, AmbiguousNameError */
export function requireMember(registry: Pick<Registry, 'replica'>, text: string): Member {
  const member = findMember(registry, text)
  if (member === undefined) throw noSuchMember(registry, text)
  return member
}

/**
 * A key by what names a member, or by any whole PeerId.
 * @throws NotFoundError, AmbiguousNameError
 */
export const requireKey = (registry: Pick<Registry, 'replica'>, text: string): Uint8Array =>
  keyOfPeerId(text) ?? requireMember(registry, text).publicKey

/** Names of keys that are shut out, by their rows: the log gives such a key no other one. */
const lastNames = new WeakMap<RevokedRow, string | null>()

function lastName(registry: Pick<Registry, 'replica'>, row: RevokedRow): string | null {
  const known = lastNames.get(row)
  if (known !== undefined) return known
  const name = formerName(registry, row.publicKey)
  lastNames.set(row, name)
  return name
}

/** Revoked key that had that name last, as long as the entry that gave it is in the store; of several the one that was revoked last. */
export const revokedByName = (registry: Pick<Registry, 'replica'>, name: string): RevokedRow | undefined =>
  [...registry.replica.state.revokedKeys()]
    .filter((row) => lastName(registry, row) === name)
    .toSorted((a, b) => a.n - b.n)
    .at(-1)

export interface EndedMember {
  readonly publicKey: Uint8Array
  readonly entry: Extract<LogEntry, { kind: 'end' }>
}

/**
 * Key whose membership was ended and that is no member now, by its last name or its PeerId, as long as the entry is in the store; of
 * several the one that was ended last. @throws AmbiguousNameError
 */
export function endedMember(registry: Pick<Registry, 'replica'>, text: string): EndedMember | undefined {
  const { ledger, state } = registry.replica
  const ended = ledger.table.ofKinds(entryKinds.end, entryKinds.end).flatMap(({ envelope }) => {
    const { value } = readStoredEntry(envelope)
    if (value.kind !== 'end' || state.member(value.body.publicKey) !== undefined) return []
    return [{ publicKey: value.body.publicKey, entry: value }]
  })
  return ended.findLast(({ publicKey }) => formerName(registry, publicKey) === text) ?? byEnd(ended, text)
}

/** Member that had that name before it was given another one, as long as the entries are in the store. */
export function renamedMember({ replica }: Pick<Registry, 'replica'>, name: string): Member | undefined {
  const { ledger, state } = replica
  const had = (publicKey: Uint8Array): boolean =>
    ledger.table.about(publicKey).some(({ envelope }) => {
      const { value } = readStoredEntry(envelope)
      return (value.kind === 'admit' || value.kind === 'change') && value.body.name === name
    })
  const changed = ledger.table.ofKinds(entryKinds.change, entryKinds.change).flatMap(({ envelope }) => {
    const { value } = readStoredEntry(envelope)
    const member = value.kind === 'change' ? state.member(value.body.publicKey) : undefined
    return member === undefined ? [] : [member]
  })
  // Each once, as all its entries are read; the one that was changed last first.
  return [...new Set(changed.toReversed())].find(({ publicKey }) => had(publicKey))
}

/**
 * A key by what names a member, or named one that is none any more as long as the log still says so.
 * @throws NotFoundError, AmbiguousNameError
 */
export function requireKeyEver(registry: Pick<Registry, 'replica'>, text: string): Uint8Array {
  const found = findMember(registry, text) ?? revokedByName(registry, text) ?? endedMember(registry, text)
  const revoked = found ?? byEnd(registry.replica.state.revokedKeys(), text)
  const key = revoked?.publicKey ?? keyOfPeerId(text)
  if (key === undefined) throw noSuchMember(registry, text)
  return key
}

export function noSuchMember(registry: Pick<Registry, 'replica'>, text: string): NotFoundError {
  const { replica } = registry
  const revoked = revokedByName(registry, text)
  if (revoked !== undefined) {
    const key = peerIdText(revoked.publicKey)
    return new NotFoundError(
      `${text} is no member any more: its key ${key} was revoked (\`trustnet why ${text}\` says when and why)`
    )
  }
  if (endedMember(registry, text) !== undefined) {
    return new NotFoundError(
      `${text} is no member any more: its membership was ended (\`trustnet why ${text}\` says when, by whom and why)`
    )
  }
  const renamed = renamedMember(registry, text)
  if (renamed !== undefined) return new NotFoundError(`no member is called ${text} any more: it is ${renamed.name} now`)
  if (keyOfPeerId(text) !== undefined) {
    return new NotFoundError(`${text} is no member of this network: \`trustnet peers --all\` lists the members`)
  }
  let nearest: { name: string; typos: number } | undefined
  for (const { name } of replica.state.members()) {
    const typos = distance(name, text)
    if (typos <= maxTypos && typos < (nearest?.typos ?? Number.POSITIVE_INFINITY)) nearest = { name, typos }
  }
  const hint = nearest === undefined ? ':' : `; did you mean ${nearest.name}?`
  return new NotFoundError(
    `no member is called ${text}, and none has a PeerId that ends so (${minEndChars} characters at least)${hint} ` +
      '`trustnet peers --all` lists the members'
  )
}
