import { LimitError } from '../../runtime/errors.ts'
import { sleep } from '../../runtime/sleep.ts'
import { httpLimits } from './limits.ts'

/** An answer as it is sent. All who are given it at the same time share its bytes. */
export interface Answer {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly status: 200 | 503
}

interface Made {
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
  #made: Made | undefined

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
