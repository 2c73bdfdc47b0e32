import { onTestFinished } from 'vitest'
import { type Running, type Service, Supervisor } from '../../../src/runtime/supervisor.ts'

/** Services whose next round begins when the test says so. */
export class WokenServices extends Supervisor {
  readonly services = new Map<string, Service>()
  readonly #runs = new Map<string, Running>()

  constructor() {
    super()
    onTestFinished(() => this.stop())
  }

  override run(name: string, service: Service): Running {
    const running = super.run(name, service)
    this.services.set(name, service)
    this.#runs.set(name, running)
    return running
  }

  wake(name: string): void {
    this.#runs.get(name)?.wake()
  }
}
