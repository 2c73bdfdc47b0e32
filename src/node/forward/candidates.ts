import { randomBytes } from 'node:crypto'
import { keyId } from '../../identity/key-id.ts'
import { peerIdText } from '../../identity/keys.ts'
import type { Member } from '../../registry/log/state/network-state.ts'
import { mayCall } from '../../registry/objects/policy/call-rules.ts'
import type { Registry } from '../../registry/registry.ts'
import { NotAllowedError, NotFoundError } from '../../runtime/errors.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import { type Connections, connectionsOf, type RowSource, shownState } from '../views/member-rows.ts'
import { rowSourceOf } from '../views/row-source.ts'

/** Members that are tried for one connection. */
const most = 8
/** Keys that are read at a time. */
const step = 64

/**
 * Members that are up, announce the service as well, and may be called by the rules: anybody may announce any name. Connected ones that
 * answer soonest are first, then others from a place in the list that is drawn by lot: however many announce it, a connection looks at
 * as many as it takes to find enough.
 * @throws NotFoundError when there are none, NotAllowedError when the rules allow none of them
 */
export function candidatesFor(node: NodeContext, network: NetworkNode, service: string): Member[] {
  const { records, replica } = network.registry
  const candidates = new Candidates(node, network, service)
  const connected = new Map(
    [...network.trust.members()].map(({ member }) => [keyId(member.publicKey), member.publicKey])
  )
  const near = [...connected.values()]
    .filter((publicKey) => records.offers(publicKey, service))
    .map((publicKey) => ({
      publicKey,
      rttMs: network.rttMs(peerIdText(publicKey)) ?? Number.POSITIVE_INFINITY,
      lot: Math.random()
    }))
    .toSorted((a, b) => (a.rttMs === b.rttMs ? a.lot - b.lot : a.rttMs - b.rttMs))
  for (const { publicKey } of near) if (candidates.add(publicKey)) return candidates.found
  for (const publicKey of offering(records, service)) {
    if (!connected.has(keyId(publicKey)) && candidates.add(publicKey)) return candidates.found
  }
  if (candidates.found.length > 0) return candidates.found
  throw candidates.isForbidden ? noRule(service, replica.state.policyRow.n) : noneHasIt(service)
}

/** Keys whose record names the service, each once, from a place that is drawn by lot to its end and then from the first one. */
function* offering(records: Registry['records'], service: string): Generator<Uint8Array> {
  const from = randomBytes(32)
  let after: Uint8Array = from
  for (const isBehind of [true, false]) {
    let keys: Uint8Array[]
    do {
      keys = records.offering(service, after, step)
      for (const publicKey of keys) {
        if (!isBehind && Buffer.compare(publicKey, from) > 0) return
        yield publicKey
      }
      after = keys.at(-1) ?? after
    } while (keys.length === step)
    after = new Uint8Array()
  }
}

/** Members for one connection. */
class Candidates {
  readonly found: Member[] = []
  /** True when the rules alone have left somebody out. */
  isForbidden = false
  readonly #network: NetworkNode
  readonly #service: string
  readonly #own: Uint8Array
  readonly #source: RowSource
  readonly #connections: Connections

  constructor(node: NodeContext, network: NetworkNode, service: string) {
    this.#network = network
    this.#service = service
    this.#own = node.key.publicKey
    this.#source = rowSourceOf(node, network)
    this.#connections = connectionsOf(network.trust)
  }

  /** Adds the member if it can be called; true when there are enough. */
  add(publicKey: Uint8Array): boolean {
    const { registry } = this.#network
    const { state } = registry.replica
    const member = state.member(publicKey)
    if (member === undefined || Buffer.compare(publicKey, this.#own) === 0) return false
    if (!isWell(this.#network, publicKey, this.#service)) return false
    if (shownState(this.#source, publicKey, this.#connections) !== 'online') return false
    const self = state.member(this.#own)
    const isAllowed = self === undefined || mayCall(state.policy, self, member, this.#service)
    if (isAllowed) this.found.push(member)
    else this.isForbidden = true
    return this.found.length >= most
  }
}

const noRule = (service: string, n: number): Error =>
  new NotAllowedError(
    `no rule of the policy (log entry ${n}) lets this node call ${service} at a member that has it`,
    n
  )

const noneHasIt = (service: string): Error =>
  new NotFoundError(
    `no other member that is online has a service ${service} that is well: trustnet lookup --service ${service}`
  )

const isWell = ({ registry }: NetworkNode, publicKey: Uint8Array, service: string): boolean => {
  const state = registry.records.read(publicKey)?.services.find(({ name }) => name === service)?.state
  return state !== undefined && state !== 'failing' && state !== 'maintenance'
}
