import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, openSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { controlClient } from '../../../src/node/api/client.ts'
import type { ControlApi } from '../../../src/node/api/control-api.ts'
import { programPath } from '../built-program.ts'

const libraries = '/usr/lib'

/** The library that gives a process a clock of its own; undefined: faketime is not installed. */
export const faketime = readdirSync(libraries)
  .map((folder) => join(libraries, folder, 'faketime', 'libfaketimeMT.so.1'))
  .find((path) => existsSync(path))

const node = fileURLToPath(new URL('../../../node_modules/.bin/node', import.meta.url))

/** A machine as far as its wall clock goes: a folder, a process of the program, and a clock that can be set while it runs. */
export class FakedMachine implements AsyncDisposable {
  readonly name: string
  readonly home: string
  readonly client: ControlApi
  readonly #offset: string
  #process: ChildProcess | undefined

  constructor(folder: string, name: string) {
    this.name = name
    this.home = join(folder, name)
    this.#offset = join(this.home, 'offset')
    mkdirSync(this.home, { recursive: true })
    this.client = controlClient({ path: join(this.home, 'run', `${name}.sock`) })
    this.setClock('+0d')
  }

  /** `+400d`, `-2h`: how far its clock is from the real one. */
  setClock(offset: string): void {
    writeFileSync(this.#offset, `${offset}\n`)
  }

  /** stdout and stderr of a command on this machine. */
  async run(...argv: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
    const child = spawn(node, [programPath, ...argv], { env: this.#env(), stdio: ['ignore', 'pipe', 'pipe'] })
    const said = { out: '', err: '' }
    child.stdout.on('data', (chunk: Buffer) => {
      said.out += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      said.err += chunk.toString()
    })
    const [code] = await once(child, 'close')
    return { code: Number(code), ...said }
  }

  start(...argv: readonly string[]): void {
    const log = openSync(join(this.home, 'log'), 'a')
    this.#process = spawn(node, [programPath, ...argv], { env: this.#env(), stdio: ['ignore', log, log] })
  }

  /** As the machine is switched off in order. */
  async stop(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined || child.exitCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #env(): Record<string, string | undefined> {
    return {
      ...process.env,
      TRUSTNET_HOME: this.home,
      TRUSTNET_LISTEN_HOST: '::1',
      TRUSTNET_ANNOUNCE_ALLOW: 'loopback',
      LD_PRELOAD: faketime,
      FAKETIME_TIMESTAMP_FILE: this.#offset,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1'
    }
  }
}
