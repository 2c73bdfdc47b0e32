import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { cleanEnvironment } from '../../runtime/clean-environment.ts'
import { sanitise } from '../output/text.ts'

/** The process asks itself to stop within 5 s; a little before that it is ended by force. */
const stopMs = 4500
/** A receiver of traces is for all processes of the network. */
export const receiverOfTraces = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_HEADERS'
]
const tailLines = 10

/** The built program: beside this file in dist/, one folder away when this runs from source. */
export const program = (): string => {
  const built = fileURLToPath(new URL('../../../bin/trustnet.js', import.meta.url))
  return existsSync(built) ? built : fileURLToPath(new URL('../../../dist/bin/trustnet.js', import.meta.url))
}

export interface ChildInit {
  name: string
  args: readonly string[]
  home: string
  logFile: string
  env: Readonly<Record<string, string | undefined>>
}

export interface ChildEnd {
  code: number | null
  signal: NodeJS.Signals | null
}

/**
 * One process of the network. Its stdin is a pipe from here: when it ends, because it is asked to stop or because this
 * process was killed, the child stops by itself.
 */
export class Child {
  readonly name: string
  readonly logFile: string
  /** Resolves when it is gone, for whatever reason. */
  readonly ended: Promise<ChildEnd>
  readonly #process: ChildProcess
  #stopping = false
  #frozen = false

  constructor(init: ChildInit) {
    this.name = init.name
    this.logFile = init.logFile
    const log = openSync(init.logFile, 'a', 0o600)
    this.#process = spawn(process.execPath, [program(), ...init.args, '--stop-with-stdin'], {
      stdio: ['pipe', log, log],
      env: cleanEnvironment({ TRUSTNET_HOME: init.home, NO_COLOR: '1' }, { env: init.env, also: receiverOfTraces })
    })
    closeSync(log)
    this.#process.stdin?.on('error', () => undefined)
    this.ended = new Promise((resolve) => {
      this.#process.once('error', () => resolve({ code: null, signal: null }))
      this.#process.once('exit', (code, signal) => resolve({ code, signal }))
    })
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** True when its end was asked for. */
  get stopping(): boolean {
    return this.#stopping
  }

  async stop(): Promise<void> {
    this.#stopping = true
    if (this.#frozen) this.thaw()
    this.#process.stdin?.end()
    const force = setTimeout(() => this.#process.kill('SIGKILL'), stopMs)
    await this.ended
    clearTimeout(force)
  }

  /** Stopped by the kernel: it does nothing and says nothing, until `thaw`. */
  freeze(): void {
    this.#frozen = this.#process.kill('SIGSTOP')
  }

  thaw(): void {
    this.#process.kill('SIGCONT')
    this.#frozen = false
  }

  get frozen(): boolean {
    return this.#frozen
  }

  /** Without a goodbye, as in a drill. */
  async kill(): Promise<void> {
    this.#stopping = true
    this.#process.kill('SIGKILL')
    await this.ended
  }

  /** "node-2 ended with code 1", then the last lines of its log. */
  obituary({ code, signal }: ChildEnd): string {
    const how = signal === null ? `ended with code ${code ?? 'unknown'}` : `was ended by ${signal}`
    const lines = this.tail().map((line) => `  ${line}`)
    return [`${this.name} ${how}; the end of ${this.logFile}:`, ...lines].join('\n')
  }

  tail(): string[] {
    const text = readFileSync(this.logFile, 'utf8').trimEnd()
    return text === '' ? [] : text.split('\n').slice(-tailLines).map(readable)
  }
}

/** "12:00:01 warn  port 9000 is taken (error)" of a log line; other lines as they are. */
const readable = (line: string): string => {
  if (!line.startsWith('{')) return sanitise(line)
  try {
    const { timestamp, level, message, error }: Record<string, unknown> = JSON.parse(line)
    const time = String(timestamp).slice(11, 19)
    const cause = typeof error === 'string' ? ` (${error})` : ''
    return sanitise(`${time} ${String(level).padEnd(5)} ${String(message)}${cause}`)
  } catch {
    return sanitise(line)
  }
}
