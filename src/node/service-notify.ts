import { execFile } from 'node:child_process'
import { cleanEnvironment } from '../runtime/clean-environment.ts'

type Env = Readonly<Record<string, string | undefined>>

/** A program of systemd that takes longer than that is stuck; the next beat tries again. */
const sendMs = 5000
/** systemd wants a word at least every WATCHDOG_USEC; three of them may get lost. */
const beatsPerWatchdog = 4

/**
 * Tells the service manager that this process is ready, alive and stopping (sd_notify(3)). Node has no unix datagram sockets, so
 * systemd's own `systemd-notify` speaks for it; the unit says NotifyAccess=all. Without a service manager it does nothing.
 */
export class ServiceNotify implements Disposable {
  readonly #socket: string | undefined
  readonly #beatMs: number
  #timer: NodeJS.Timeout | undefined

  constructor(env: Env = process.env) {
    this.#socket = env['NOTIFY_SOCKET'] || undefined
    const watchdogUs = Number(env['WATCHDOG_USEC'] ?? 0)
    this.#beatMs = watchdogUs / 1000 / beatsPerWatchdog
  }

  /** From here on the watchdog is fed for as long as the event loop turns. */
  ready(status: string): void {
    this.#send('READY=1', `STATUS=${status}`, 'WATCHDOG=1')
    if (this.#beatMs > 0) this.#timer ??= setInterval(() => this.#send('WATCHDOG=1'), this.#beatMs).unref()
  }

  stopping(): void {
    clearInterval(this.#timer)
    this.#send('STOPPING=1')
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #send(...words: string[]): void {
    if (this.#socket === undefined) return
    const env = cleanEnvironment({ NOTIFY_SOCKET: this.#socket })
    // The next beat repeats what was not heard; a manager that hears nothing restarts the service and says why.
    execFile('systemd-notify', [`--pid=${process.pid}`, ...words], { env, timeout: sendMs }, () => {})
  }
}
