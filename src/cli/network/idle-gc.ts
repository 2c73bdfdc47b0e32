import { Session } from 'node:inspector'
import { getHeapStatistics } from 'node:v8'
import { inBackground } from '../../runtime/background.ts'

const mebibyte = 1024 * 1024
const everyMs = 5_000
/** Share of a core. A busier process collects by itself. */
const idleShare = 0.05
/** Less is not worth a collection. */
const worthBytes = 8 * mebibyte
/** A collection stands still for about 2 ms per MiB in use. */
const mostUsedBytes = 128 * mebibyte

export interface SpareMemoryInit {
  /** CPU time of this process so far and time on the wall, µs. */
  readonly cpuUs?: () => number
  readonly nowUs?: () => number
}

const cpuUs = (): number => {
  const { user, system } = process.cpuUsage()
  return user + system
}

/**
 * Gives back what a busy moment left behind (the start, a sync, members who return): V8 keeps its young generation as large as it has
 * ever been and collects when something is allocated, which an idle node hardly does.
 */
export class IdleGc implements Disposable {
  readonly #cpuUs: () => number
  readonly #nowUs: () => number
  #timer: NodeJS.Timeout | undefined
  #cpu = Number.NEGATIVE_INFINITY
  #at = 0
  /** Bytes that V8 had of the system after the last collection. */
  #keptBytes = 0

  constructor(init: SpareMemoryInit = {}) {
    this.#cpuUs = init.cpuUs ?? cpuUs
    this.#nowUs = init.nowUs ?? (() => performance.now() * 1000)
  }

  start(): this {
    this.#timer ??= setInterval(() => inBackground(this.look(), 'giving memory back'), everyMs).unref()
    return this
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  /** Collects when the process was idle since the last look and has grown since the last collection. @returns whether it did */
  async look(): Promise<boolean> {
    const [cpu, at] = [this.#cpuUs(), this.#nowUs()]
    const isIdle = cpu - this.#cpu < idleShare * (at - this.#at)
    this.#cpu = cpu
    this.#at = at
    if (!isIdle) return false
    const { total_heap_size: held, used_heap_size: used } = getHeapStatistics()
    if (held - this.#keptBytes < worthBytes || used > mostUsedBytes) return false
    await collect()
    this.#keptBytes = getHeapStatistics().total_heap_size
    return true
  }
}

/** A full collection that returns free pages. Without --expose-gc the inspector is how a program asks for it. */
const collect = async (): Promise<void> => {
  const session = new Session()
  session.connect()
  await new Promise<void>((resolve) => session.post('HeapProfiler.collectGarbage', () => resolve()))
  session.disconnect()
}
