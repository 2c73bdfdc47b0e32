import { Counter, Histogram, Registry } from 'prom-client'
import { type FinishedStep, onStep } from '../../runtime/trace.ts'

/** From what one machine takes to what an operator waits for, s. */
const waits = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10, 30, 60]
const flushes = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]

/** Times that the steps of this process took. All labels are words of this program. */
export class Durations {
  readonly registry = new Registry()
  readonly #stop: () => void
  readonly #heartbeat = this.#histogram('trustnet_heartbeat_duration_seconds', 'Time until a heartbeat was answered.')
  readonly #sync = this.#histogram('trustnet_sync_duration_seconds', 'Time until a source had told all that it had.', [
    'kind'
  ])
  readonly #push = this.#histogram(
    'trustnet_push_delivery_seconds',
    'Time from a change until a subscriber had taken it.'
  )
  readonly #registration = this.#histogram(
    'trustnet_registration_duration_seconds',
    'Time of a join, of a registration, or without any lease after one was lost.',
    ['step']
  )
  readonly #lookup = this.#histogram(
    'trustnet_lookup_duration_seconds',
    'Time until another registry answered a lookup.'
  )
  readonly #commit = this.#histogram('trustnet_store_commit_duration_seconds', 'Time of a commit, with its writes.')
  readonly #flush = new Histogram({
    name: 'trustnet_store_flush_duration_seconds',
    help: 'Time of the end of a commit, which flushes it to the disk.',
    buckets: flushes,
    registers: [this.registry]
  })
  readonly #writes = new Counter({
    name: 'trustnet_store_writes_total',
    help: 'Writes that were committed.',
    registers: [this.registry]
  })
  readonly #failures = new Counter({
    name: 'trustnet_step_failures_total',
    help: 'Steps that failed: join, delta, push, commit and others.',
    labelNames: ['step'],
    registers: [this.registry]
  })

  constructor() {
    for (const step of ['join', 'register', 'first_sync', 'delta', 'push', 'lookup', 'commit'])
      this.#failures.inc({ step }, 0)
    this.#stop = onStep((step) => this.#take(step))
  }

  stop(): void {
    this.#stop()
  }

  #take({ name, durationMs, fields, error }: FinishedStep): void {
    if (error !== undefined) {
      this.#failures.inc({ step: name })
      return
    }
    const seconds = durationMs / 1000
    switch (name) {
      case 'heartbeat':
        this.#heartbeat.observe(seconds)
        return
      case 'push':
        this.#push.observe(seconds)
        return
      case 'lookup':
        this.#lookup.observe(seconds)
        return
      case 'first_sync':
      case 'delta':
        this.#sync.observe({ kind: name === 'delta' ? 'delta' : 'first' }, seconds)
        return
      case 'join':
      case 'register':
      case 'failover':
        this.#registration.observe({ step: name }, seconds)
        return
      case 'commit':
        this.#committed(seconds, fields)
        return
      case 'order':
      case 'serve':
    }
  }

  #committed(seconds: number, fields: FinishedStep['fields']): void {
    this.#commit.observe(seconds)
    this.#writes.inc(Number(fields['writes']))
    this.#flush.observe(Number(fields['flushMs']) / 1000)
  }

  #histogram(name: string, help: string, labelNames: string[] = []): Histogram {
    return new Histogram({ name, help, labelNames, buckets: waits, registers: [this.registry] })
  }
}
