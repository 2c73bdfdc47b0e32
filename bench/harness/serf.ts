import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { freePort } from '../../test/helpers/free-port.ts'

export const hasSerf = (): boolean => spawnSync('serf', ['version']).status === 0

type Event = 'Join' | 'Failed'

/** An agent of Debian's serf, with the timings that it has for one machine (`local`). */
export class SerfAgent implements AsyncDisposable {
  readonly name: string
  readonly address: string
  readonly #child: ChildProcess
  readonly #seen: string[] = []
  #waiting: (() => void)[] = []

  private constructor(name: string, address: string, child: ChildProcess) {
    this.name = name
    this.address = address
    this.#child = child
    if (child.stdout === null) throw new Error('the agent has no output')
    createInterface({ input: child.stdout }).on('line', (line) => this.#read(line))
  }

  static async start(name: string, join?: SerfAgent): Promise<SerfAgent> {
    const address = `[::1]:${await freePort()}`
    const argv = ['agent', `-node=${name}`, `-bind=${address}`, `-rpc-addr=[::1]:${await freePort()}`, '-profile=local']
    if (join !== undefined) argv.push(`-retry-join=${join.address}`, '-retry-interval=1s')
    return new SerfAgent(name, address, spawn('serf', argv, { stdio: ['ignore', 'pipe', 'ignore'] }))
  }

  kill(signal: 'SIGKILL' | 'SIGSTOP'): void {
    this.#child.kill(signal)
  }

  /** Resolves when this agent has said so. */
  async says(event: Event, name: string): Promise<void> {
    while (!this.#seen.includes(`${event} ${name}`)) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  #read(line: string): void {
    const [, event, name] = /EventMember(Join|Failed): (\S+)/.exec(line) ?? []
    if (event === undefined) return
    this.#seen.push(`${event} ${name}`)
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
