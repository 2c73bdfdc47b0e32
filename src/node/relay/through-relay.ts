import type { Connection } from '@libp2p/interface'
import { equals } from 'uint8arrays/equals'
import { circuitVia, isRelayed } from '../../address/circuit.ts'
import { keyId } from '../../identity/key-id.ts'
import { peerIdText } from '../../identity/keys.ts'
import { isRegistryRole } from '../../identity/role.ts'
import type { Member } from '../../registry/log/state/network-state.ts'
import { mayRelay } from '../../registry/objects/policy/relaying.ts'
import { within } from '../../runtime/abort.ts'
import { UnavailableError } from '../../runtime/errors.ts'
import { dialText, isUnsupported } from '../errors.ts'
import type { NetworkParts } from '../network-parts.ts'
import type { Connector } from '../peers/connector.ts'

type RelayedNetwork = Pick<NetworkParts, 'registry' | 'trust' | 'limits'>

/** Members through which this one is reached, as its record says and the policy allows: those that are connected first. */
export function relaysOf({ registry, trust }: RelayedNetwork, publicKey: Uint8Array, self: Uint8Array): Uint8Array[] {
  const { state } = registry.replica
  const connected = new Set<string>()
  for (const { connection, member } of trust.members())
    if (!isRelayed(connection)) connected.add(keyId(member.publicKey))
  const named = registry.records.read(publicKey)?.relayKeys ?? []
  const usable = named.filter((relay) => {
    const member = registry.replica.isMember(relay) ? state.member(relay) : undefined
    return member !== undefined && !equals(relay, self) && mayRelay(state.policyRow.policy, member.role)
  })
  return usable.toSorted((a, b) => Number(connected.has(keyId(b))) - Number(connected.has(keyId(a))))
}

/**
 * Connects to a member through those that relay for it, one after the other. A relay that is not connected is dialled like any member.
 * `beside`: also where there is a connection to it.
 * @throws UnavailableError that says what each of them did
 */
export async function connectThrough(
  network: RelayedNetwork & { readonly peers: Connector },
  { publicKey, role }: Pick<Member, 'publicKey' | 'role'>,
  { relays, beside = false, signal }: { relays: readonly Uint8Array[]; beside?: boolean; signal: AbortSignal }
): Promise<Connection> {
  const { peers, limits, registry } = network
  const failures: string[] = []
  for (const relay of relays) {
    // One that is frozen leaves time for the next.
    const inTime = within(limits.relay.openMs, signal)
    try {
      if (!isConnected(network, relay)) await peers.connect(targetOf(network, relay), inTime)
      const addrs = [circuitVia(peerIdText(relay))]
      return await peers.connect({ publicKey, addrs, isRegistry: isRegistryRole(role) }, inTime, { beside })
    } catch (error) {
      signal.throwIfAborted()
      const why = isUnsupported(error) ? 'it does not relay' : dialText(error)
      failures.push(`${registry.replica.state.member(relay)?.name ?? peerIdText(relay)}: ${why}`)
    }
  }
  throw new UnavailableError(`through relays: ${failures.join('; ')}`, retryMs)
}

const retryMs = 5_000

const isConnected = ({ trust }: RelayedNetwork, publicKey: Uint8Array): boolean => {
  for (const { connection, member } of trust.members()) {
    const isWay = connection.status === 'open' && !isRelayed(connection)
    if (isWay && equals(member.publicKey, publicKey)) return true
  }
  return false
}

const targetOf = ({ registry }: RelayedNetwork, publicKey: Uint8Array) => ({
  publicKey,
  addrs: registry.records.read(publicKey)?.addrs ?? [],
  isRegistry: isRegistryRole(registry.replica.state.member(publicKey)?.role ?? 'external')
})
