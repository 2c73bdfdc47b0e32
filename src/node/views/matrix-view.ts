import { equals } from 'uint8arrays/equals'
import { at } from '../../identity/bytes.ts'
import { keyId } from '../../identity/key-id.ts'
import { peerIdText } from '../../identity/keys.ts'
import type { ProbeWord } from '../../protocols/probe/index.ts'
import type { Member } from '../../registry/log/state/network-state.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Input, MatrixView } from '../api/control-api.ts'
import type { RegistryWords } from '../matrix/matrix.ts'
import { probersOfMember } from '../matrix/probe-words.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import { Pairs } from './matrix-pairs.ts'
import { type Connections, connectionsOf, shownState } from './member-rows.ts'
import { refOf, wholeMs, withPeer } from './refs.ts'
import { rowSourceOf } from './row-source.ts'

type MatrixMember = MatrixView['members'][number]
type Addresses = MatrixMember['addresses']

const mostShown = 30

/** Shows who reaches whom. Of a large network those of whom the worst is said; with an offset all of them, page by page. */
export const matrixView = async (
  node: NodeContext,
  network: NetworkNode,
  { limit = mostShown, offset }: Input<'matrix'> = {}
): Promise<MatrixView> => {
  const { registry } = network
  const told = await network.matrix.told()
  const connections = connectionsOf(network.trust)
  const members = [...registry.replica.state.members()].filter(({ publicKey }) => registry.replica.isMember(publicKey))
  const words = wordsByMember(registry, told)
  const pairs = new Pairs(registry)
  for (const [id, addresses] of words)
    for (const each of addresses.flatMap(({ words: said }) => said)) pairs.say(id, each)
  pairs.see(node.key.publicKey, connections)
  const isPage = offset !== undefined
  const isWhole = !isPage && members.length <= limit
  const chosen = isWhole ? members : worst(members, pairs.troubles(), { limit, offset })
  const shown = new Set(chosen.map(({ publicKey }) => peerIdText(publicKey)))
  const end = (offset ?? 0) + chosen.length
  return {
    total: members.length,
    next: isPage && end < members.length ? end : null,
    sources: told.map(({ registry: by, left = 0, error = null }) => ({ registry: refOf(registry, by), left, error })),
    members: chosen.map((member) => memberOf(node, network, connections, member, words)),
    pairs: isPage ? pairs.from(shown) : pairs.among(shown)
  }
}

const memberOf = (
  node: NodeContext,
  network: NetworkNode,
  connections: Connections,
  { publicKey, name, role }: Member,
  words: ReadonlyMap<string, Addresses>
): MatrixMember => {
  const peerId = peerIdText(publicKey)
  const record = network.registry.records.read(publicKey)
  const state = peerId === node.peerId ? 'online' : shownState(rowSourceOf(node, network), publicKey, connections)
  const known = words.get(peerId) ?? unsaid(record?.addrs)
  const addresses = known.map(({ address, words: said }) => ({ address: withPeer(address, peerId), words: said }))
  return { peerId, name, role, state, reach: record?.reach ?? 'unknown', addresses }
}

const unsaid = (addrs: readonly string[] = []): Addresses => addrs.map((address) => ({ address, words: [] }))

/** Without an offset only those that have a trouble. */
const worst = (
  members: readonly Member[],
  troubles: ReadonlyMap<string, number>,
  { limit, offset }: { limit: number; offset: number | undefined }
): Member[] => {
  const rank = ({ publicKey }: Member): number => troubles.get(peerIdText(publicKey)) ?? 0
  const ranked = members.toSorted((a, b) => rank(b) - rank(a))
  const fit = offset === undefined ? ranked.filter((member) => rank(member) > 0) : ranked.slice(offset)
  return fit.slice(0, limit)
}

/** Words that registries tell of one member, at the addresses that its record has, by members that the own log knows; of each the newest. */
export const wordsOf = (registry: Registry, publicKey: Uint8Array, told: readonly RegistryWords[]): Addresses => {
  const addrs = registry.replica.isMember(publicKey) ? (registry.records.read(publicKey)?.addrs ?? []) : []
  return addrs.map((address) => {
    const said = told.flatMap(({ registry: by, members = [] }) =>
      members
        .filter((each) => equals(each.publicKey, publicKey))
        .flatMap((each) => each.addrs.filter(({ addr }) => addr === address).flatMap(({ words }) => words))
        .filter(({ prober }) => registry.replica.isMember(prober) && !equals(prober, publicKey))
        .map((word) => ({ word, by }))
    )
    const newest = new Map<string, { word: ProbeWord; by: Uint8Array }>()
    for (const each of said.toSorted((a, b) => b.word.agoMs - a.word.agoMs)) newest.set(keyId(each.word.prober), each)
    const words = [...newest.values()].slice(-2 * probersOfMember).map(({ word, by }) => ({
      prober: refOf(registry, word.prober),
      registry: refOf(registry, by),
      failure: word.failure ?? null,
      ageMs: Math.round(word.agoMs),
      tookMs: wholeMs(word.tookMs)
    }))
    return { address, words }
  })
}

/** By PeerId; of those of whom anything was told. */
const wordsByMember = (registry: Registry, told: readonly RegistryWords[]): Map<string, Addresses> => {
  const each = told.flatMap(({ registry: by, members = [] }) => members.map((member) => ({ by, member })))
  const all = Map.groupBy(each, ({ member }) => keyId(member.publicKey)).values()
  return new Map(
    [...all].map((ofMember) => {
      const { publicKey } = at(ofMember, 0).member
      const words = ofMember.map(({ by, member }) => ({ registry: by, members: [member] }))
      return [peerIdText(publicKey), wordsOf(registry, publicKey, words)]
    })
  )
}
