import { orAborted } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import type { ControlApi } from '../api/control-api.ts'
import { EventRing } from './event-ring.ts'
import type { EventSink, HttpPart } from './part.ts'

/**
 * `/events`: what changes, as server-sent events. A reader that comes back with Last-Event-ID (or `?after=ID`) is told what it missed; `reset`
 * says that this is not known any more, and that it should ask for the views again.
 */
export const eventsPart: HttpPart = (app, { api, signal, stream }) => {
  let ring: EventRing | undefined
  app.get('/events', (c) => {
    // Nobody who looks: nothing is gathered.
    ring ??= gather(api, signal)
    const after = c.req.header('last-event-id') ?? c.req.query('after')
    const events = ring
    return stream(c, (sink) => tell(events, after, sink))
  })
}

const gather = (api: ControlApi, signal: AbortSignal): EventRing => {
  const ring = new EventRing()
  const run = async (): Promise<void> => {
    for await (const event of api.events({ signal })) ring.push(event)
  }
  inBackground(run(), 'gathering events')
  return ring
}

const tell = async (ring: EventRing, after: string | undefined, sink: EventSink): Promise<void> => {
  let at = after ?? ring.end
  if (after === undefined) await sink.write({ id: at, event: 'begin', data: '{"schema":1,"type":"begin"}' })
  while (!sink.signal.aborted) {
    const { more } = ring
    const events = ring.after(at)
    if (events === undefined) {
      at = ring.end
      await sink.write({ id: at, event: 'reset', data: '{"schema":1,"type":"reset"}' })
      continue
    }
    for (const { id, event } of events) {
      await sink.write({ id, event: event.type, data: JSON.stringify(event) })
      at = id
    }
    if (events.length === 0) await orAborted(more, sink.signal).catch(() => {})
  }
}
