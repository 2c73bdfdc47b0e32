import { type ChildProcess, spawn } from 'node:child_process'
import { inBackground } from '../../runtime/background.ts'
import { cleanEnvironment } from '../../runtime/clean-environment.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { hookRefusal } from './hook-field.ts'

/** An event for the operator's program. */
export interface HookEvent {
  event: 'join' | 'leave' | 'suspect' | 'offline' | 'back' | 'alarm'
  /** ISO time. */
  at: string
  node: { peerId: string; name: string }
  peer: { peerId: string; name: string | null; state: string; reason: string | null } | null
  alarm: { code: string; message: string } | null
}

export interface HookRunnerInit {
  /** The program, as it is configured now. */
  program: () => string | undefined
  timeoutMs: () => number
  logger: Logger
}

/** Events that wait for the program. */
const mostWaiting = 100
const tellDroppedMs = 60_000

/**
 * Runs the operator's program for events, one at a time and each for a bounded time, without a shell: the event is JSON on its stdin and a few
 * variables, and the rest of the environment is clean. Of more events than can wait the newest of whoever has most are dropped, and counted.
 */
export class HookRunner {
  readonly #init: HookRunnerInit
  readonly #waiting: HookEvent[] = []
  #child: ChildProcess | undefined
  #isRunning = false
  #isOver = false
  #dropped = 0
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(init: HookRunnerInit) {
    this.#init = init
  }

  /** Events that were dropped since the start. */
  get dropped(): number {
    return this.#dropped
  }

  add(event: HookEvent): void {
    if (this.#isOver || this.#init.program() === undefined) return
    this.#waiting.push(event)
    if (this.#waiting.length > mostWaiting) this.#drop(this.#surplus())
    inBackground(this.#run(), 'running the hook')
  }

  /** Runs no more; what runs is ended. */
  stop(): void {
    this.#isOver = true
    this.#waiting.length = 0
    if (this.#child !== undefined) endGroup(this.#child)
  }

  /** Takes out the newest event of the member that has most waiting: one whose state flaps pushes out its own. */
  #surplus(): HookEvent | undefined {
    const groups = Map.groupBy(this.#waiting, ({ peer }) => peer?.peerId)
    const [most = []] = [...groups.values()].toSorted((a, b) => b.length - a.length)
    const surplus = most.at(-1)
    if (surplus !== undefined) this.#waiting.splice(this.#waiting.lastIndexOf(surplus), 1)
    return surplus
  }

  #drop(dropped: HookEvent | undefined): void {
    this.#dropped++
    if (performance.now() - this.#toldAt < tellDroppedMs) return
    this.#toldAt = performance.now()
    const fields = { event: dropped?.event, count: this.#dropped, waiting: mostWaiting }
    this.#init.logger.warn(fields, 'events come faster than the hook takes them: some are dropped, and never run')
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    try {
      for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) {
        const why = await this.#runOne(event).catch(reasonOf)
        if (why === undefined || this.#isOver) continue
        this.#init.logger.warn(
          { event: event.event, error: why },
          'the hook failed for an event; the next one is run all the same'
        )
      }
    } finally {
      this.#isRunning = false
    }
  }

  /** Gives what went wrong. */
  async #runOne(event: HookEvent): Promise<string | undefined> {
    const program = this.#init.program()
    if (program === undefined) return undefined
    // Somebody may have changed the file since.
    const refusal = hookRefusal(program)
    if (refusal !== undefined) return refusal
    const env = cleanEnvironment({
      TRUSTNET_EVENT: event.event,
      TRUSTNET_NODE: event.node.name,
      TRUSTNET_PEER_ID: event.peer?.peerId ?? '',
      TRUSTNET_PEER_NAME: event.peer?.name ?? '',
      TRUSTNET_ALARM_CODE: event.alarm?.code ?? ''
    })
    // A group of its own: what the program starts ends with it.
    const child = spawn(program, [], { stdio: ['pipe', 'ignore', 'ignore'], env, detached: true })
    this.#child = child
    child.stdin.on('error', () => {})
    child.stdin.end(`${JSON.stringify({ schema: 1, ...event })}\n`)
    const outcome = await this.#outcomeOf(child)
    endGroup(child)
    this.#child = undefined
    return outcome
  }

  async #outcomeOf(child: ChildProcess): Promise<string | undefined> {
    const timeoutMs = this.#init.timeoutMs()
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    const timer = setTimeout(() => resolve(`it ran for longer than ${timeoutMs / 1000} s and was ended`), timeoutMs)
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(code === 0 ? undefined : `it ended with ${signal ?? code}`))
    const outcome = await promise
    clearTimeout(timer)
    return outcome
  }
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // All of it has ended.
  }
}
