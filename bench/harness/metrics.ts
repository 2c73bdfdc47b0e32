import { Gauge, Registry } from 'prom-client'

/** CPU of this process, user and system, for one of so many runs, ms. */
export async function cpuMsOf(count: number, run: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  for (let each = 0; each < count; each++) await run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000 / count
}

const line = /^(\w+)(?:\{(.*)\})? (\S+)$/

/** The same series as in a text of metrics, ready to be written again. */
export function registryOf(text: string): Registry {
  const registry = new Registry()
  for (const [, name = '', labels = '', value] of text.split('\n').flatMap((each) => [line.exec(each) ?? []])) {
    if (name === '') continue
    const pairs = Object.fromEntries(
      [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', word = '']) => [key, word])
    )
    const known = registry.getSingleMetric(name)
    const gauge =
      known instanceof Gauge
        ? known
        : new Gauge({
            name,
            help: name,
            labelNames: Object.keys(pairs),
            registers: [registry]
          })
    gauge.set(pairs, Number(value))
  }
  return registry
}
