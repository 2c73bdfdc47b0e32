import { Counter, Gauge, Registry } from 'prom-client'
import type { NodeContext } from '../node-context.ts'
import { networkSamples } from './network-samples.ts'
import { processSamples } from './process-samples.ts'
import type { Sample } from './sample.ts'

/** All that is known now without having been counted for it. */
export const presentMetrics = (node: NodeContext): Registry => {
  const { network } = node
  const registry = new Registry()
  const samples = processSamples(node)
  // The store of a process that stops may be closed already.
  if (network !== undefined && !node.isStopping) samples.push(...networkSamples(node, network))
  for (const sample of samples) register(registry, sample)
  return registry
}

const register = (registry: Registry, { name, type, help, values }: Sample): void => {
  const [first] = values
  if (first === undefined) return
  const options = { name, help, labelNames: Object.keys(first[0]), registers: [registry] }
  if (type === 'gauge') {
    const metric = new Gauge(options)
    for (const [labels, value] of values) metric.set({ ...labels }, value)
  } else {
    const metric = new Counter(options)
    for (const [labels, value] of values) metric.inc({ ...labels }, value)
  }
}
