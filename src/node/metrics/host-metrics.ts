import type { ComponentLogger, Metrics } from '@libp2p/interface'
import { prometheusMetrics } from '@libp2p/prometheus-metrics'
import { Registry } from 'prom-client'
import type { LibraryMetrics } from '../host/libp2p.ts'

/**
 * Names that are taken of libp2p's own metrics: those whose labels are words of libp2p and of this program. Others name the addresses of
 * listeners, or walk over all streams of all connections at each scrape; the counting of bytes would run for every message.
 */
const taken: ReadonlySet<string> = new Set([
  'libp2p_connection_manager_connections',
  'libp2p_connection_manager_dials_total',
  'libp2p_connection_manager_dial_errors_total',
  'libp2p_connection_manager_dials_inbound_errors_total',
  'libp2p_connection_manager_dials_outbound_errors_total',
  'libp2p_tcp_dialer_events_total',
  'libp2p_noise_xxhandshake_successes_total',
  'libp2p_noise_xxhandshake_error_total',
  'libp2p_noise_decrypt_errors_total',
  'libp2p_kad_dht_routing_table_size',
  'libp2p_kad_dht_outbound_rpc_requests_total',
  'libp2p_kad_dht_outbound_rpc_errors_total'
])

const registering = [
  'registerMetric',
  'registerMetricGroup',
  'registerCounter',
  'registerCounterGroup',
  'registerHistogram',
  'registerHistogramGroup',
  'registerSummary',
  'registerSummaryGroup'
] as const

const ignore = (): void => {}
/** A metric that is not taken. */
const inert = {
  update: ignore,
  increment: ignore,
  decrement: ignore,
  reset: ignore,
  observe: ignore,
  timer: () => ignore
}

export interface HostMetrics {
  readonly registry: Registry
  readonly metrics: LibraryMetrics
}

/** Metrics of one libp2p host. The next host of the process has others: these look at the one that they were made for. */
export const hostMetrics = (): HostMetrics => {
  const registry = new Registry()
  const make = prometheusMetrics({ registry, collectDefaultMetrics: false })
  const metrics = (components: { logger: ComponentLogger }): Metrics => {
    const library = make(components)
    registry.clear()
    const register = Object.fromEntries(
      registering.map((method) => [
        method,
        (name: string, options?: object): unknown =>
          // A name of a method, and the arguments that libp2p gives to it.
          taken.has(name) ? Reflect.apply(library[method], library, [name, options]) : inert
      ])
    )
    const quiet = { trackMultiaddrConnection: ignore, trackProtocolStream: ignore }
    return Object.assign(Object.create(library), register, quiet)
  }
  return { registry, metrics }
}
