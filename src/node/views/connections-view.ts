import type { Connection } from '@libp2p/interface'
import type { ConnectionsView, StatsView } from '../api/process-views.ts'
import { dataFiles } from '../config/paths.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import { limitsView } from '../status/limits-view.ts'
import type { StatusFacts } from '../status/status-facts.ts'
import { connectionCounts, isListening } from '../status/status-view.ts'
import { noStates } from './member-rows.ts'
import { rttUs, withPeer } from './refs.ts'
import { storeBytes } from './registry-views.ts'

/** All open connections, those of strangers too. */
export const connectionsView = (node: NodeContext): ConnectionsView => {
  const { network } = node
  if (node.isStopping || !isListening(network)) return { connections: [] }
  const members = new Map([...network.trust.members()].map(({ connection, member }) => [connection.id, member]))
  const connections = network.host.getConnections().map((connection) => {
    const peerId = connection.remotePeer.toString()
    const member = members.get(connection.id)
    const traffic = network.traffic.of(peerId)
    return {
      peerId,
      name: (member && network.registry.replica.state.member(member.publicKey)?.name) ?? null,
      member: member !== undefined,
      role: member?.role ?? null,
      ...endOf(connection, peerId),
      rttUs: rttUs(network.rttMs(peerId)),
      streams: connection.streams.length,
      bytesIn: traffic?.bytesIn ?? null,
      bytesOut: traffic?.bytesOut ?? null
    }
  })
  return { connections }
}

const endOf = ({ direction, remoteAddr, timeline }: Connection, peerId: string) => {
  const address = remoteAddr.toString()
  return {
    direction: direction === 'inbound' ? ('in' as const) : ('out' as const),
    address: withPeer(address, peerId),
    openedMs: Math.round(timeline.open)
  }
}

/** Figures of this process, for programs that draw them. */
export const statsView = (node: NodeContext, facts: StatusFacts, alarms: number): StatsView => {
  const network = node.isStopping ? undefined : node.network
  const { rss, heapUsed } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  return {
    uptimeMs: Math.max(0, Math.round(node.clock.now() - node.phases.startedMs)),
    phase: node.phases.name,
    members: facts.network?.counts ?? noStates(),
    log: logOf(network),
    records: facts.network?.records ?? 0,
    connections: connectionCounts(network),
    limits:
      network === undefined ? {} : Object.fromEntries(limitsView(network).map(({ limit, count }) => [limit, count])),
    alarms,
    process: {
      rssBytes: rss,
      heapBytes: heapUsed,
      cpuMs: Math.round((user + system) / 1000),
      storeBytes: storeBytes(dataFiles(node.config.paths.data).store)
    }
  }
}

const logOf = (network: NetworkNode | undefined): StatsView['log'] => {
  if (network === undefined) return { epoch: null, head: null, checkpointMs: null }
  const { head, checkpoint } = network.registry.replica
  return { epoch: head.epoch, head: head.n, checkpointMs: checkpoint?.value.timeMs ?? null }
}
