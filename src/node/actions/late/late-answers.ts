import { sha256 } from '../../../identity/hash.ts'
import { keyId } from '../../../identity/key-id.ts'
import { onAbort } from '../../../runtime/abort.ts'
import { inBackground } from '../../../runtime/background.ts'
import type { Clock } from '../../../runtime/clock-and-logger.ts'
import { UnavailableError } from '../../../runtime/errors.ts'

/** Time for which an answer waits for whoever asks again. */
const keptMs = 600_000
/** As many as operators of one network leave unanswered. */
const maxKept = 64
const againMs = 1_000
const lateText =
  'the answer takes longer than anybody waits for it: what was asked for goes on, and the same command, given again within 10 minutes, says what came of it'

export interface LateAnswersInit {
  clock: Pick<Clock, 'monotonic'>
  /** Place in the log, to which `isChanged` compares. */
  place: () => Place | undefined
  /** Tells whether somebody has changed the network since: an answer from before says nothing any more. */
  isChanged: (since: Place) => boolean
}

export interface Place {
  readonly epoch: number
  readonly n: number
}

interface Kept {
  readonly answer: Promise<object>
  readonly sinceMs: number
  /** Place behind what it has changed; undefined: it goes on. */
  place: Place | undefined
  isSettled: boolean
}

/**
 * Answers that came when whoever had asked was gone, or had been told that it takes too long. The same request is answered with the one that waits for
 * it, once, in place of being carried out again.
 */
export class LateAnswers {
  readonly #init: LateAnswersInit
  readonly #kept = new Map<string, Kept>()

  constructor(init: LateAnswersInit) {
    this.#init = init
  }

  /** Carries a request out, or gives the answer to it that nobody has heard. @throws as heard */
  async asked(request: string, signal: AbortSignal | undefined, run: () => Promise<object>): Promise<object> {
    return await this.heard(request, this.take(request) ?? run(), signal)
  }

  /** The answer to this request that nobody has heard; undefined: there is none. It is handed out once. */
  take(request: string): Promise<object> | undefined {
    this.#forgetOld()
    const key = keyOf(request)
    const kept = this.#kept.get(key)
    this.#kept.delete(key)
    if (kept === undefined) return undefined
    return kept.isSettled && (kept.place === undefined || this.#init.isChanged(kept.place)) ? undefined : kept.answer
  }

  /**
   * Waits for as long as the signal lets it: for the answer, or what is shown before it. After that the answer is kept for who asks again.
   * @throws UnavailableError that says so, and what it waits for is rejected with
   */
  async heard(request: string, answer: Promise<object>, signal: AbortSignal | undefined): Promise<object> {
    return await this.shown(request, answer, { signal, first: answer })
  }

  async shown<T>(
    request: string,
    answer: Promise<object>,
    { signal, first }: { signal: AbortSignal | undefined; first: Promise<T> }
  ): Promise<T> {
    const heard = Promise.withResolvers<T>()
    let isOver = false
    const once =
      <A>(end: (given: A) => void) =>
      (given: A): void => {
        if (!isOver) end(given)
        isOver = true
      }
    // Either it is heard, or it is kept.
    first.then(once(heard.resolve), once(heard.reject))
    const unheard = once(() => {
      this.#keep(request, answer)
      heard.reject(new UnavailableError(lateText, againMs))
    })
    using _ = onAbort(signal, unheard)
    return await heard.promise
  }

  #keep(request: string, answer: Promise<object>): void {
    this.#forgetOld()
    const key = keyOf(request)
    const kept: Kept = { answer, sinceMs: this.#init.clock.monotonic(), place: undefined, isSettled: false }
    this.#kept.delete(key)
    this.#kept.set(key, kept)
    const oldest = this.#kept.keys().next().value
    if (oldest !== undefined && this.#kept.size > maxKept) this.#kept.delete(oldest)
    inBackground(this.#settled(key, kept), 'keeping a late answer')
  }

  /** An answer may hold an invite line. */
  #forgetOld(): void {
    const since = this.#init.clock.monotonic() - keptMs
    for (const [key, { sinceMs }] of this.#kept) if (sinceMs < since) this.#kept.delete(key)
  }

  async #settled(key: string, kept: Kept): Promise<void> {
    try {
      await kept.answer
      kept.isSettled = true
      kept.place = this.#init.place()
    } catch {
      // A refusal is asked for anew.
      if (this.#kept.get(key) === kept) this.#kept.delete(key)
    }
  }
}

/** A request may be as long as a document. */
const keyOf = (request: string): string => keyId(sha256(Buffer.from(request)))
