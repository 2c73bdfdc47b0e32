import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { freePort } from '../free-port.ts'
import { tempFolder } from '../temp.ts'

export interface FiringAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly state: string
}

interface PrometheusInit {
  readonly rules?: string
  readonly targets?: readonly string[]
  /** URL of targets, in place of fixed ones. */
  readonly discovery?: string
}

/** Real Prometheus that looks once a second at these targets, and at these rules. */
export class Prometheus implements AsyncDisposable {
  readonly #folder = tempFolder()
  readonly #process: ChildProcess
  readonly #url: string

  private constructor(port: number, init: PrometheusInit) {
    const { path } = this.#folder
    const often = { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '500ms' }
    const { targets = [], discovery } = init
    const job = {
      job_name: 'trustnet',
      ...(discovery === undefined
        ? { static_configs: [{ targets: [...targets] }] }
        : { http_sd_configs: [{ url: discovery, refresh_interval: '1s' }] })
    }
    writeFileSync(join(path, 'rules.yml'), init.rules ?? '')
    writeFileSync(
      join(path, 'prometheus.yml'),
      stringify({ global: often, rule_files: ['rules.yml'], scrape_configs: [job] })
    )
    this.#url = `http://[::1]:${port}`
    const args = [`--config.file=${path}/prometheus.yml`, `--storage.tsdb.path=${path}/data`]
    this.#process = spawn('prometheus', [...args, `--web.listen-address=[::1]:${port}`], { stdio: 'ignore' })
  }

  static async start(init: PrometheusInit): Promise<Prometheus> {
    return new Prometheus(await freePort(), init)
  }

  /** Values of a query, each with its labels. */
  async query(expr: string): Promise<{ metric: Record<string, string>; value: string }[]> {
    const { result }: { result: { metric: Record<string, string>; value: [number, string] }[] } = await this.#ask(
      `query?query=${encodeURIComponent(expr)}`
    )
    return result.map(({ metric, value: [, value] }) => ({ metric, value }))
  }

  async alerts(): Promise<FiringAlert[]> {
    const { alerts }: { alerts: FiringAlert[] } = await this.#ask('alerts')
    return alerts
  }

  async #ask<T>(path: string): Promise<T> {
    const answer = await fetch(`${this.#url}/api/v1/${path}`)
    const { data }: { data: T } = JSON.parse(await answer.text())
    return data
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await ended
    this.#folder[Symbol.dispose]()
  }
}
