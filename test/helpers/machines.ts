import { join } from 'node:path'
import { expect, vi } from 'vitest'
import { controlClient } from '../../src/node/api/client.ts'
import type { ControlApi } from '../../src/node/api/control-api.ts'
import { processesOf, type Running, runProgram, startProgram } from './built-program.ts'
import { ceilingMs } from './ceiling.ts'
import { tempFolder } from './temp.ts'

const waiting = { timeout: ceilingMs, interval: 50 }

/** Nodes as processes of their own, each with a home of its own. */
export class Machines implements AsyncDisposable {
  readonly #folder = tempFolder()
  readonly #env: Record<string, string>
  readonly #running = new Map<string, Running>()

  constructor(env: Record<string, string>) {
    this.#env = { TRUSTNET_ANNOUNCE_ALLOW: 'loopback', TRUSTNET_LISTEN_PORT: '0', ...env }
  }

  env(name: string): Record<string, string> {
    return { ...this.#env, TRUSTNET_HOME: join(this.#folder.path, name) }
  }

  client(name: string): ControlApi {
    return controlClient({ path: join(this.#folder.path, name, 'run', `${name}.sock`) })
  }

  start(name: string, argv: string[], more: Record<string, string> = {}): void {
    this.#running.set(name, startProgram(argv, { ...this.env(name), ...more }))
  }

  async stop(name: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const running = this.#running.get(name)
    running?.process.kill(signal)
    await running?.ended
  }

  async root(more: Record<string, string> = {}): Promise<void> {
    const init = ['init', '--name', 'root', '--domain', 'example.test', '--new-network', '--json']
    expect((await runProgram(init, this.env('root'))).code).toBe(0)
    this.start('root', ['registry', 'start'], more)
    await this.member('root')
  }

  async invite(name: string, role: string): Promise<string> {
    return (await runProgram(['invite', '--name', name, '--role', role], this.env('root'))).out.trim()
  }

  async member(name: string): Promise<void> {
    await vi.waitFor(async () => expect((await this.client(name).status()).membership.state).toBe('member'), waiting)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.stop(name)))
    expect(processesOf(this.#folder.path)).toEqual([])
    this.#folder[Symbol.dispose]()
  }
}
