import type { ControlApi } from '../api/control-api.ts'
import { socketPath } from '../config/paths.ts'
import { type HttpApi, openHttp } from '../http/index.ts'
import { openMetrics, type ProcessMetrics } from '../metrics/index.ts'
import type { NodeContext } from '../node-context.ts'
import type { StopSteps } from '../stop-steps.ts'
import { startControlServer } from './server.ts'

/** Places where people and programs reach a process: its control socket, and the HTTP API with its metrics. */
export class Endpoints {
  /** undefined: there is no HTTP API that would tell them. */
  metrics: ProcessMetrics | undefined
  #server: AsyncDisposable | undefined
  #http: HttpApi | undefined

  /** Address of the HTTP API; undefined: it is off, or does not listen. */
  get httpUrl(): string | undefined {
    return this.#http?.url
  }

  /** `hasControl`: it gets a control socket. */
  async open(node: NodeContext & { readonly control: ControlApi }, hasControl: boolean): Promise<void> {
    const { config, control: api, services, logging } = node
    if (hasControl) {
      const path = socketPath(config.paths.runtime, config.name)
      this.#server = await startControlServer({
        path,
        api,
        logger: logging.logger,
        part: services.part('control'),
        forwards: { parts: node.forwards, most: config.protocols.forward.commands }
      })
    }
    this.metrics = await openMetrics(node)
    this.#http = await openHttp(node)
  }

  async close(steps: StopSteps): Promise<void> {
    await steps.wait('the HTTP server', this.#http?.[Symbol.asyncDispose]())
    this.metrics?.[Symbol.dispose]()
    await steps.wait('the control socket', this.#server?.[Symbol.asyncDispose]())
  }
}
