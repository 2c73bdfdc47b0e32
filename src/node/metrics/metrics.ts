import { Counter, collectDefaultMetrics, Registry } from 'prom-client'
import type { NodeContext } from '../node-context.ts'
import { Durations } from './durations.ts'
import { type HostMetrics, hostMetrics } from './host-metrics.ts'
import { presentMetrics } from './present.ts'
import type { ProcessMetrics } from './reader.ts'

/** Metrics of a process, by prom-client: what is known already is read at each scrape, durations are kept. */
export class Metrics implements ProcessMetrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE
  readonly #node: NodeContext
  readonly #durations = new Durations()
  readonly #admissions = new Counter({
    name: 'trustnet_admissions_total',
    help: 'Members whose admission came into the log here.',
    registers: [this.#durations.registry]
  })
  readonly #stop: () => void
  #host: HostMetrics | undefined

  constructor(node: NodeContext) {
    this.#node = node
    this.#stop = node.events.listen('admitted', () => this.#admissions.inc())
  }

  forHost(): HostMetrics['metrics'] {
    this.#host = hostMetrics()
    return this.#host.metrics
  }

  async text(): Promise<string> {
    const registries = [presentMetrics(this.#node), this.#durations.registry, this.#host?.registry, ofProcess()]
    const texts = await Promise.all(registries.map(async (registry) => (await registry?.metrics()) ?? ''))
    return texts.filter((text) => text !== '').join('\n')
  }

  [Symbol.dispose](): void {
    this.#stop()
    this.#durations.stop()
  }
}

/** Counts of what Node.js holds open, under names that end like a counter's; making the lists takes as long as they are. */
const left = ['handles', 'requests', 'resources'].flatMap((what) => [
  `nodejs_active_${what}`,
  `nodejs_active_${what}_total`
])

/** The event loop is looked at this often. */
const loopLookMs = 50

let processRegistry: Registry | undefined

/** Memory, CPU, event loop and garbage collection: once for all nodes of a process, as it observes for as long as that runs. */
const ofProcess = (): Registry => {
  if (processRegistry !== undefined) return processRegistry
  processRegistry = new Registry()
  collectDefaultMetrics({ register: processRegistry, eventLoopMonitoringPrecision: loopLookMs })
  for (const name of left) processRegistry.removeSingleMetric(name)
  return processRegistry
}
