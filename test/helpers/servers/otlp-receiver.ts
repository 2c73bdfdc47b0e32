import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'

/** A span as it came in OTLP. */
export interface ReceivedSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  /** Name of the node that sent it. */
  node: string
  failed: boolean
  startMs: number
  endMs: number
}

interface OtlpSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  startTimeUnixNano: string
  endTimeUnixNano: string
  status?: { code?: number }
}

interface OtlpRequest {
  resourceSpans: {
    resource: { attributes: { key: string; value: { stringValue?: string } }[] }
    scopeSpans: { spans: OtlpSpan[] }[]
  }[]
}

/** Receiver of traces: takes what OpenTelemetry's exporters send as JSON over HTTP. */
export class OtlpReceiver implements AsyncDisposable {
  readonly spans: ReceivedSpan[] = []
  /** Answers in another way than with success. */
  answer: ((response: ServerResponse) => void) | undefined
  requests = 0
  readonly #server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      this.requests++
      if (request.method === 'POST' && request.url === '/v1/traces') this.#take(Buffer.concat(parts).toString())
      if (this.answer === undefined) response.setHeader('content-type', 'application/json').end('{}')
      else this.answer(response)
    })
  })

  static async open(): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver()
    receiver.#server.listen(0, '::1')
    await once(receiver.#server, 'listening')
    return receiver
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('it does not listen')
    return `http://[::1]:${address.port}`
  }

  #take(text: string): void {
    const { resourceSpans }: OtlpRequest = JSON.parse(text)
    for (const { resource, scopeSpans } of resourceSpans) {
      const node = resource.attributes.find(({ key }) => key === 'service.instance.id')?.value.stringValue ?? ''
      for (const { spans } of scopeSpans) this.spans.push(...spans.map((span) => received(span, node)))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

const received = (span: OtlpSpan, node: string): ReceivedSpan => ({
  traceId: span.traceId,
  spanId: span.spanId,
  ...(span.parentSpanId !== undefined && { parentSpanId: span.parentSpanId }),
  name: span.name,
  node,
  failed: span.status?.code === 2,
  startMs: Number(BigInt(span.startTimeUnixNano) / 1_000_000n),
  endMs: Number(BigInt(span.endTimeUnixNano) / 1_000_000n)
})
