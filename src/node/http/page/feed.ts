import type { ControlEvent } from '../../api/views.ts'

const answerMs = 20_000

/** An answer of the node. Credentials that the browser asked for go with it. */
export const ask = async <T>(path: string): Promise<T> => {
  const response = await fetch(path, { signal: AbortSignal.timeout(answerMs) })
  const answer: T & { error?: { message: string } } = await response.json()
  if (!response.ok) throw new Error(answer.error?.message ?? `${path}: ${response.status}`)
  return answer
}

const types: readonly ControlEvent['type'][] = ['peer', 'status', 'head', 'pending']

/**
 * Tells each event, also those of a time without a connection; the browser dials again by itself. `onAll`: at the begin, and when it is not
 * known what was missed.
 */
export const follow = (onEvent: (event: ControlEvent) => void, onAll: () => void, onGone: () => void): void => {
  const source = new EventSource('/events')
  for (const type of types) {
    source.addEventListener(type, ({ data }: MessageEvent<string>) => onEvent(JSON.parse(data)))
  }
  for (const type of ['begin', 'reset']) source.addEventListener(type, onAll)
  source.addEventListener('error', () => {
    onGone()
    // After an answer that is no stream the browser does not dial again.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => follow(onEvent, onAll, onGone), answerMs)
  })
}
