import { afterEach, expect, test, vi } from 'vitest'
import { exportSpans } from '../../../../src/node/tracing/exporter.ts'
import { startTracing } from '../../../../src/node/tracing/load.ts'
import type { Tracing } from '../../../../src/node/tracing/types.ts'
import { silentLogger } from '../../../../src/runtime/clock-and-logger.ts'
import { measured, startTrace } from '../../../../src/runtime/trace.ts'
import { ceilingMs } from '../../../helpers/ceiling.ts'
import { OtlpReceiver } from '../../../helpers/servers/otlp-receiver.ts'

afterEach(() => vi.unstubAllEnvs())

const tracingTo = (url: string, logger = silentLogger, timeoutMs?: number): Tracing => {
  // The exporter reads the environment of the process itself.
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', url)
  return exportSpans({ name: 'a', logger, env: process.env }, timeoutMs)
}

const flood = (count: number): void => {
  for (let each = 0; each < count; each++) measured('push', performance.now())
}

test('steps come as spans of the node, with their failure; a commit is none', async () => {
  await using receiver = await OtlpReceiver.open()
  const tracing = tracingTo(receiver.url)
  await startTrace('join', {}, () => startTrace('register', { peer: 'x' }, async () => {}))
  await startTrace('delta', {}, async () => {
    throw new Error('no answer')
  }).catch(() => {})
  measured('commit', performance.now(), { writes: 1, flushMs: 1 })
  await tracing.stop()
  const [register, join, delta] = receiver.spans
  expect(receiver.spans.map(({ name, node, failed }) => [name, node, failed])).toEqual([
    ['register', 'a', false],
    ['join', 'a', false],
    ['delta', 'a', true]
  ])
  expect(register).toMatchObject({ traceId: join?.traceId, parentSpanId: join?.spanId })
  expect(delta?.traceId).not.toBe(join?.traceId)
})

test('of a flood that a slow receiver does not take, a bounded number waits and the rest is lost', async () => {
  await using receiver = await OtlpReceiver.open()
  const held: (() => void)[] = []
  receiver.answer = (response) => held.push(() => response.setHeader('content-type', 'application/json').end('{}'))
  const tracing = tracingTo(receiver.url)
  flood(50_000)
  await vi.waitFor(() => expect(receiver.requests).toBe(1), { timeout: ceilingMs })
  receiver.answer = undefined
  for (const goOn of held) goOn()
  // A stop waits for no receiver.
  await vi.waitFor(() => expect(receiver.spans.length).toBeGreaterThan(512), { timeout: ceilingMs })
  await tracing.stop()
  expect(receiver.spans.length).toBeLessThanOrEqual(2_048 + 512)
})

test.each([
  ['refuses', 400],
  ['never answers', undefined]
])('a receiver that %s ends in no failure of the process, and a stop does not wait for it', async (_, status) => {
  await using receiver = await OtlpReceiver.open()
  receiver.answer = (response) => (status === undefined ? response : response.writeHead(status).end())
  const tracing = tracingTo(receiver.url)
  flood(600)
  await vi.waitFor(() => expect(receiver.requests).toBeGreaterThan(0), { timeout: ceilingMs })
  await tracing.stop()
})

test('a receiver that is away is named once, however much is lost', async () => {
  const receiver = await OtlpReceiver.open()
  const { url } = receiver
  await receiver[Symbol.asyncDispose]()
  const warnings: string[] = []
  const warned = Promise.withResolvers<void>()
  const warn = (_: object, message: string): void => {
    warnings.push(message)
    warned.resolve()
  }
  const tracing = tracingTo(url, { ...silentLogger, warn })
  const stopped = warned.promise.then(() => tracing.stop())
  flood(5_000)
  await stopped
  expect(warnings).toEqual([
    'the receiver of traces takes nothing: spans are lost until it does, and the node goes on without them'
  ])
})

test('a receiver that refuses the credentials is told with its status, and no credentials', async () => {
  await using receiver = await OtlpReceiver.open()
  receiver.answer = (response) => response.writeHead(401, ' ').end(response.req.headers.authorization)
  vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', 'authorization=Bearer hidden')
  const told = Promise.withResolvers<object>()
  const tracing = tracingTo(receiver.url, { ...silentLogger, warn: (fields) => told.resolve(fields) }, ceilingMs)
  flood(600)
  const fields = await told.promise
  expect(fields).toMatchObject({ status: 401 })
  expect(JSON.stringify(fields)).not.toContain('hidden')
  await tracing.stop()
})

test('what fails is told by the exporter that failed, and by no other', async () => {
  await using refusing = await OtlpReceiver.open()
  refusing.answer = (response) => response.writeHead(401).end()
  await using well = await OtlpReceiver.open()
  const told: string[] = []
  const own = Promise.withResolvers<void>()
  const first = tracingTo(refusing.url, { ...silentLogger, warn: () => own.resolve() }, ceilingMs)
  const second = tracingTo(well.url, { ...silentLogger, warn: (_, message) => void told.push(message) }, ceilingMs)
  flood(600)
  await own.promise
  await Promise.all([first.stop(), second.stop()])
  expect(told).toEqual([])
})

test.each(['collector:4318', '[::1]:4318', 'ftp://u:hidden@[::1]/'])(
  'without a scheme of HTTP (%s) nothing is sent, which is said without the value',
  async (url) => {
    const told: unknown[] = []
    const warn = (...line: unknown[]): void => void told.push(line)
    const tracing = await startTracing({
      name: 'a',
      logger: { ...silentLogger, warn },
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: url }
    })
    await tracing?.stop()
    expect(tracing).toBeUndefined()
    expect(told).toEqual([[{ variable: 'OTEL_EXPORTER_OTLP_ENDPOINT' }, expect.stringContaining('no traces are sent')]])
  }
)

test('without the variable nothing is exported', async () => {
  for (const env of [
    {},
    { OTEL_EXPORTER_OTLP_ENDPOINT: '' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://[::1]:1', OTEL_SDK_DISABLED: 'true' }
  ])
    expect(await startTracing({ name: 'a', logger: silentLogger, env })).toBeUndefined()
})
