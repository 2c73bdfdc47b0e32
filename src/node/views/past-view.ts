import { isDeepStrictEqual } from 'node:util'
import { keyId } from '../../identity/key-id.ts'
import { peerIdText } from '../../identity/keys.ts'
import type { Member, NetworkState } from '../../registry/log/state/network-state.ts'
import type { LogRow } from '../../registry/store/log-rows.ts'
import type { Input, LogDiffView, PastView } from '../api/control-api.ts'
import type { NetworkNode } from '../network-node.ts'
import { formerName } from './log-view.ts'
import { mapGently } from './member-rows.ts'
import { policyValues } from './policy-view.ts'

type PastMember = PastView['members'][number]

/** A place in the log by its number, or the newest one at a time; neither: the head. @throws NotFoundError */
const positionOf = ({ registry }: NetworkNode, n: number | undefined, timeMs: number | undefined): number =>
  n ?? (timeMs === undefined ? registry.replica.head.n : registry.past.positionAt(timeMs))

/** The network as it was. @throws NotFoundError, LimitError */
export const pastView = async (
  network: NetworkNode,
  { n, timeMs }: Input<'registryAt'>,
  signal: AbortSignal
): Promise<PastView> => {
  const { past } = network.registry
  const at = positionOf(network, n, timeMs)
  return await past.read(at, async (state, row) => ({ floor: past.floor, ...(await pictureOf(state, row)) }), signal)
}

type Picture = Omit<PastView, 'floor'>

const pictureOf = async (state: NetworkState, { n, epoch, timeMs }: LogRow): Promise<Picture> => {
  const { policy, n: policyEntry } = state.policyRow
  const rest = {
    at: { n, epoch, timeMs },
    registries: state.registries().map(({ publicKey, role }) => ({
      peerId: peerIdText(publicKey),
      name: state.member(publicKey)?.name ?? null,
      role
    })),
    operators: state.operators().map(({ publicKey, name }) => ({ name, keyId: peerIdText(publicKey) })),
    revoked: [...state.revokedKeys()].length,
    policyEntry,
    policy: policyValues(policy)
  }
  const members = await mapGently([...state.members()], (member) => memberOf(member, timeMs))
  return { ...rest, members: members.toSorted((a, b) => byName(a.name, b.name)) }
}

const memberOf = ({ publicKey, name, role, groups, notAfterMs, admitN }: Member, timeMs: number): PastMember => ({
  peerId: peerIdText(publicKey),
  name,
  role,
  groups: [...groups],
  expiresMs: notAfterMs,
  expired: notAfterMs < timeMs,
  entry: admitN
})

const byName = (a: string | null, b: string | null): number => ((a ?? '') < (b ?? '') ? -1 : 1)

const pictureBefore = async (state: NetworkState, row: LogRow) => ({
  ...(await pictureOf(state, row)),
  shut: new Set([...state.revokedKeys()].map(({ publicKey }) => keyId(publicKey)))
})

/** Changes between two places in the log. @throws NotFoundError, LimitError */
export const logDiffView = async (
  network: NetworkNode,
  { fromN, fromMs, toN, toMs }: Input<'logDiff'>,
  signal: AbortSignal
): Promise<LogDiffView> => {
  const { past, replica } = network.registry
  const [one, other] = [positionOf(network, fromN, fromMs), positionOf(network, toN, toMs)]
  const [first, last] = [Math.min(one, other), Math.max(one, other)]
  const before = await past.read(first, pictureBefore, signal)
  const changes = async (state: NetworkState, row: LogRow): Promise<LogDiffView> => {
    const after = await pictureOf(state, row)
    const shut = [...state.revokedKeys()].filter(({ publicKey }) => !before.shut.has(keyId(publicKey)))
    return {
      from: before.at,
      to: after.at,
      entries: last - first,
      missing: last - first - replica.ledger.table.countBetween(first, last),
      ...diffMembers(before.members, after.members),
      registries: diffRegistries(before.registries, after.registries),
      operators: diffOperators(before.operators, after.operators),
      revoked: shut.map(({ publicKey }) => ({
        peerId: peerIdText(publicKey),
        name: formerName(network.registry, publicKey)
      })),
      policy: differing(before.policy, after.policy)
    }
  }
  return await past.read(last, changes, signal)
}

const byPeer = <T extends { peerId: string }>(rows: readonly T[]): Map<string, T> =>
  new Map(rows.map((row) => [row.peerId, row]))

const diffMembers = (
  before: readonly PastMember[],
  after: readonly PastMember[]
): Pick<LogDiffView, 'added' | 'removed' | 'changed'> => {
  const [old, now] = [byPeer(before), byPeer(after)]
  return {
    added: after.filter(({ peerId }) => !old.has(peerId)),
    removed: before.filter(({ peerId }) => !now.has(peerId)),
    changed: after.flatMap((member) => {
      const was = old.get(member.peerId)
      const changes = was === undefined ? [] : differing(was, member)
      return changes.length === 0 ? [] : [{ peerId: member.peerId, name: member.name, changes }]
    })
  }
}

const differing = (before: object, after: object): LogDiffView['policy'] => {
  const old = new Map<string, unknown>(Object.entries(before))
  return Object.entries(after)
    .map(([field, value]: [string, unknown]) => ({ field, before: old.get(field), after: value }))
    .filter((each) => !isDeepStrictEqual(each.before, each.after))
}

const diffRegistries = (before: PastView['registries'], after: PastView['registries']): LogDiffView['registries'] => {
  const [old, now] = [byPeer(before), byPeer(after)]
  return [...new Map([...old, ...now]).values()].flatMap(({ peerId, name }) => {
    const [was, is] = [old.get(peerId)?.role ?? null, now.get(peerId)?.role ?? null]
    return was === is ? [] : [{ peerId, name, before: was, after: is }]
  })
}

const diffOperators = (before: PastView['operators'], after: PastView['operators']): LogDiffView['operators'] => [
  ...beyond(after, before).map((operator) => ({ ...operator, added: true })),
  ...beyond(before, after).map((operator) => ({ ...operator, added: false }))
]

const beyond = <T>(rows: readonly T[], others: readonly T[]): T[] =>
  rows.filter((row) => !others.some((other) => isDeepStrictEqual(row, other)))
