import type { HttpBindings } from '@hono/node-server'
import { routePath } from 'hono/route'
import { LimitError } from '../../runtime/errors.ts'
import { sleep } from '../../runtime/sleep.ts'
import { type Exceeded, httpLimits } from './limits.ts'
import type { HttpContext, Made } from './part.ts'

/** An answer as it is sent. All who are given it at the same time share its bytes. */
export interface Answer {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly status: 200 | 503
}

interface Kept {
  question: string
  /** undefined: it failed. */
  answer: Answer | undefined
  /** Monotonic, ms. */
  freshUntil: number
}

/** The turn of one that waits. */
interface Turn {
  /** Monotonic, ms. */
  latest: number
  tooMany: () => LimitError
}

/**
 * Makes the answers of one route, one at a time, in a tenth of the time: one that took T is given again for 9 T to whoever asks the same,
 * and another one waits for that long, or is told to come back. What a process does besides goes on, whatever is asked of it here.
 */
export class Share {
  readonly #signal: AbortSignal
  #turn: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #made: Kept | undefined

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  /**
   * `refused` is called when there are too many questions.
   * @throws LimitError when too many wait, or its turn would come too late
   */
  async answer(question: string, make: () => Promise<Answer>, refused: () => void = () => {}): Promise<Answer> {
    const tooMany = (): LimitError => {
      refused()
      return new LimitError('Too many questions wait for this answer. Ask again in a few seconds.')
    }
    const fresh = this.#fresh(question)
    if (fresh !== undefined) return fresh
    if (this.#waiting >= httpLimits.waiting) throw tooMany()
    this.#waiting++
    const latest = performance.now() + httpLimits.waitMs
    const made = this.#turn.then(() => this.#make(question, make, { latest, tooMany }))
    const turn = made.finally(() => this.#waiting--)
    this.#turn = turn.catch(() => {})
    return await turn
  }

  async #make(question: string, make: () => Promise<Answer>, { latest, tooMany }: Turn): Promise<Answer> {
    const fresh = this.#fresh(question)
    if (fresh !== undefined) return fresh
    const asked = performance.now()
    const restMs = Math.max(0, (this.#made?.freshUntil ?? 0) - asked)
    if (asked + restMs > latest) throw tooMany()
    if (restMs > 1) await sleep(restMs, this.#signal)
    const began = performance.now()
    let answer: Answer | undefined
    try {
      answer = await make()
      return answer
    } finally {
      const now = performance.now()
      this.#made = { question, answer, freshUntil: now + (now - began) * (httpLimits.share - 1) }
    }
  }

  #fresh(question: string): Answer | undefined {
    const made = this.#made
    return made?.question === question && performance.now() < made.freshUntil ? made.answer : undefined
  }
}

/** Each route has a share of its own, whatever stands in the places of its path: asking for many documents gives nobody more of the time. */
export const shares = (signal: AbortSignal, exceeded: Exceeded): HttpContext['shared'] => {
  const byRoute = new Map<string, Share>()
  return async (c, type, make) => {
    const route = routePath(c)
    const share = byRoute.get(route) ?? new Share(signal)
    byRoute.set(route, share)
    // The same question may be asked under several names of this host.
    const { pathname, search } = new URL(c.req.url)
    const { incoming }: HttpBindings = c.env
    const refused = (): void => exceeded('http.waiting', incoming.socket)
    const { bytes, status } = await share.answer(pathname + search, async () => answerOf(await make()), refused)
    return c.body(bytes, status, { 'content-type': type })
  }
}

const answerOf = (made: Made): Answer => {
  const { text, status } = typeof made === 'string' ? { text: made, status: 200 as const } : made
  return { bytes: new TextEncoder().encode(text), status }
}
