import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Pace } from './pace.ts'
import type { Answer, Methods, Usage } from './serve.ts'

export interface ChildOptions {
  /** Environment beside that of this process. */
  env?: Readonly<Record<string, string>>
  /** The network namespace that it runs in. */
  namespace?: string
}

/** Longer than anything that a benchmark asks for in one call. */
const callMs = 900_000

/** A process of its own, whose methods are called over its IPC channel. */
export class Child<M extends Methods> implements AsyncDisposable {
  readonly #process: ChildProcess
  readonly #program: string
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #lastId = 0
  #ended: Error | undefined

  constructor(program: string, options: ChildOptions = {}) {
    this.#program = program
    const profiles = process.env['BENCH_PROFILE']
    this.#process = fork(fileURLToPath(new URL(`../processes/${program}.js`, import.meta.url)), [], {
      serialization: 'advanced',
      ...(options.namespace === undefined ? {} : { execPath: 'ip' }),
      execArgv: [
        ...(options.namespace === undefined ? [] : ['netns', 'exec', options.namespace, process.execPath]),
        '--expose-gc',
        ...(profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}/${program}`])
      ],
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc']
    })
    this.#process.on('message', (answer: Answer) => this.#answered(answer))
    this.#process.once('exit', (code, signal) => this.#exited(`ended with ${signal ?? code}`))
    this.#process.once('error', (error) => this.#exited(error.message))
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  call<K extends keyof M & string>(name: K, ...given: Parameters<M[K]>): Promise<Awaited<ReturnType<M[K]>>> {
    const asked = this.#ask(name, given)
    // A call that goes on beside others may fail before anybody waits for it: whoever waits finds it out.
    asked.catch(() => {})
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both ends are of one program, and the type of the methods is shared
    return asked as Promise<Awaited<ReturnType<M[K]>>>
  }

  /** CPU time so far and memory now, after a garbage collection. */
  async usage(): Promise<Usage> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    return (await this.#ask('usage', [])) as Usage
  }

  /** Bytes: the most since the last call. */
  async peakRss(): Promise<number> {
    return Number(await this.#ask('peakRss', []))
  }

  /** Pace of its machine at this moment. */
  async pace(): Promise<Pace> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    return (await this.#ask('pace', [])) as Pace
  }

  /** Without a goodbye. */
  async kill(): Promise<void> {
    if (this.#ended !== undefined) return
    const exited = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended !== undefined) return
    const exited = once(this.#process, 'exit')
    const late = setTimeout(() => this.#process.kill('SIGKILL'), 20_000)
    this.#process.disconnect()
    await exited
    clearTimeout(late)
  }

  async #ask(name: string, given: readonly unknown[]): Promise<unknown> {
    if (this.#ended !== undefined) throw this.#ended
    const id = ++this.#lastId
    const waiting = Promise.withResolvers<unknown>()
    this.#waiting.set(id, waiting)
    const late = setTimeout(() => waiting.reject(new Error(`${this.#program}.${name}: no answer in time`)), callMs)
    this.#process.send({ id, name, given })
    try {
      return await waiting.promise
    } finally {
      clearTimeout(late)
      this.#waiting.delete(id)
    }
  }

  #answered({ id, value, error }: Answer): void {
    const waiting = this.#waiting.get(id)
    if (error === undefined) waiting?.resolve(value)
    else waiting?.reject(new Error(`in ${this.#program}: ${error}`))
  }

  #exited(why: string): void {
    this.#ended = new Error(`the process ${this.#program} ${why}`)
    for (const { reject } of this.#waiting.values()) reject(this.#ended)
  }
}

/** Ends all of them, the last one first. */
export async function endAll(children: readonly AsyncDisposable[]): Promise<void> {
  for (const child of children.toReversed()) await child[Symbol.asyncDispose]()
}
