import { orAborted, within } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import { sleep } from '../../runtime/sleep.ts'
import type { HistoryView } from '../api/control-api.ts'
import { isListening } from '../status/status-view.ts'
import { stampNow } from '../views/refs.ts'
import { EventRing, happenedBy } from './event-ring.ts'
import { httpLimits } from './limits.ts'
import type { EventSink, HttpContext, HttpPart } from './part.ts'

/** Rows of the history that are read at once. */
const pageRows = 250
/** Until a process that starts, or begins anew, has the network whose history it can tell. */
const startMs = 20_000

/**
 * `/events`: what changes, as server-sent events. A reader that comes back with Last-Event-ID (or `?after=ID`) is told what it missed. What
 * the ring has not any more is told from the history in the store; then `reset` says that the views should be asked for again.
 */
export const eventsPart: HttpPart = (app, context) => {
  let feed: Feed | undefined
  app.get('/events', (c) => {
    // Nobody who looks: nothing is gathered.
    feed ??= new Feed(context)
    const { tell } = feed
    const after = c.req.header('last-event-id') ?? c.req.query('after')
    return context.stream(c, (sink) => tell(after, sink))
  })
}

class Feed {
  readonly #context: HttpContext
  readonly #ring: EventRing
  /** One page at a time for all readers together, in their share of the time. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(context: HttpContext) {
    const { node } = context
    this.#context = context
    this.#ring = new EventRing(() => node.network?.registry.history.last ?? 0)
    inBackground(this.#gather(), 'gathering events')
  }

  async #gather(): Promise<void> {
    const { api, signal } = this.#context
    for await (const event of api.events({ signal })) this.#ring.push(event)
  }

  readonly tell = async (after: string | undefined, sink: EventSink): Promise<void> => {
    let at = after ?? this.#ring.end
    if (after === undefined) await sink.write({ id: at, event: 'begin', data: this.#stamped({ type: 'begin' }) })
    while (!sink.signal.aborted) {
      const { more } = this.#ring
      const events = this.#ring.after(at)
      if (events === undefined) {
        at = await this.#goOn(happenedBy(at), sink)
        continue
      }
      for (const { id, event } of events) {
        await sink.write({ id, event: event.type, data: JSON.stringify(event) })
        at = id
      }
      if (events.length === 0) await orAborted(more, sink.signal).catch(() => {})
    }
  }

  /** Tells what the store has behind that row, and from where it goes on: the id that it gives. */
  async #goOn(after: number | undefined, sink: EventSink): Promise<string> {
    const { node } = this.#context
    if (after !== undefined)
      await node.until(() => isListening(node.network), within(startMs, sink.signal)).catch(() => {})
    const { end } = this.#ring
    const isTold = after !== undefined && (await this.#tellHappened(after, sink))
    const firstId = node.network?.registry.history.first ?? null
    const data = this.#stamped({ type: 'reset', after: isTold ? after : null, firstId })
    await sink.write({ id: end, event: 'reset', data })
    return end
  }

  /** Text of an event that says whose view it is, and when. */
  #stamped(event: object): string {
    return JSON.stringify({ ...stampNow(this.#context.node), ...event })
  }

  /** Gives true when all was told; false: there is no history to read now. */
  async #tellHappened(after: number, sink: EventSink): Promise<boolean> {
    for (let from: number | null = after; from !== null; ) {
      const page: HistoryView | undefined = await this.#page(from, sink.signal).catch(() => undefined)
      if (page === undefined) return false
      for (const happened of page.events) {
        const data = JSON.stringify({ schema: 1, type: 'happened', happened })
        await sink.write({ id: `${happened.id}`, event: 'happened', data })
      }
      from = page.next
    }
    return true
  }

  #page(after: number, asker: AbortSignal): Promise<HistoryView> {
    const { api, signal } = this.#context
    let tookMs = 0
    const page = this.#turn.then(async () => {
      asker.throwIfAborted()
      const began = performance.now()
      const read = await api.history({ after, limit: pageRows }, { signal: asker })
      tookMs = performance.now() - began
      return read
    })
    this.#turn = page.then(() => sleep(tookMs * (httpLimits.share - 1), signal)).catch(() => {})
    return page
  }
}
