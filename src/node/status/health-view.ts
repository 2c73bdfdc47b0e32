import { versionInfo } from '../../runtime/version.ts'
import type { PartHealth } from '../api/parts.ts'
import type { HealthView, ReadyView, VersionView } from '../api/process-views.ts'
import type { NodeContext } from '../node-context.ts'
import type { StatusFacts } from './status-facts.ts'

/** Health of this process alone. */
export const healthView = (node: NodeContext): HealthView => {
  const { phases, clock } = node
  const parts = partsOf(node)
  const { key, store, listener, log } = parts
  return {
    ok: [key, store, listener, log].every(({ status }) => status !== 'failing'),
    phase: phases.name,
    startedMs: phases.startedMs,
    uptimeMs: Math.max(0, Math.round(clock.now() - phases.startedMs)),
    parts
  }
}

const partsOf = (node: NodeContext): HealthView['parts'] => {
  const { services, phases, network, config } = node
  const known = new Map(services.parts.map((part) => [part.name, part]))
  const none = (status: PartHealth['status']): PartHealth => ({
    status,
    sinceMs: phases.startedMs,
    errors: 0,
    lastError: null
  })
  const part = (name: string, otherwise: PartHealth['status']): PartHealth => {
    const found = known.get(name)
    if (found === undefined) return none(otherwise)
    const { state, sinceMs, errors, lastError } = found
    return { status: state, sinceMs: Math.round(sinceMs), errors, lastError }
  }
  const whenFound = network === undefined ? 'off' : 'ok'
  return {
    key: part('keys', 'ok'),
    store: part('store', 'off'),
    listener: part('listener', 'off'),
    log: logPart(node, part('checkpoints', whenFound)),
    sync: part('sync', 'off'),
    gossip: config.gossip.enabled ? part('gossip', 'off') : none('off'),
    dns: part('dns', 'off')
  }
}

/** A log with two histories takes nothing, whatever is signed. */
const logPart = ({ network, isStopping }: NodeContext, signing: PartHealth): PartHealth => {
  if (network === undefined || isStopping || !network.registry.replica.isForked) return signing
  return { ...signing, status: 'failing', lastError: 'the log has two histories: trustnet registry status says more' }
}

/** Readiness to serve: of this process. Nothing that others do for it makes it unready. */
export const readyView = (node: NodeContext, { network, trouble }: StatusFacts): ReadyView => {
  const { parts } = healthView(node)
  const missing = (['key', 'store', 'listener'] as const).filter((name) => parts[name].status !== 'ok')
  const ok = missing.length === 0 && !node.isStopping
  return {
    ok,
    message: ok ? 'key, store and listener are up' : `not up: ${missing.join(', ') || 'it stops'}`,
    dependencies: [
      { name: 'root', ...rootState(network?.root) },
      { name: 'lease', ok: trouble === undefined, message: trouble?.message ?? null },
      { name: 'sync', ok: parts.sync.status !== 'failing', message: parts.sync.lastError },
      { name: 'dns', ok: parts.dns.status !== 'failing', message: parts.dns.lastError }
    ]
  }
}

const rootState = (root: { name: string; state: string } | undefined): { ok: boolean; message: string | null } =>
  root === undefined || root.state === 'online'
    ? { ok: true, message: null }
    : { ok: false, message: `${root.name} is ${root.state}` }

export const versionView = (): VersionView => ({ ...versionInfo() })
