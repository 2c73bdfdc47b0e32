import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { controlClient } from '../../../src/node/api/client.ts'
import type { ControlApi } from '../../../src/node/api/control-api.ts'
import { decodeInvite, encodeInvite } from '../../../src/registry/objects/invite.ts'
import { processesOf, type Running, runProgram, startProgram } from '../../helpers/built-program.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { OtlpReceiver, type ReceivedSpan } from '../../helpers/servers/otlp-receiver.ts'
import { tempFolder } from '../../helpers/temp.ts'

const waiting = { timeout: ceilingMs, interval: 50 }

/** Starts one process after the other, each with a home of its own, and ends all. */
class Machines implements AsyncDisposable {
  readonly #folder = tempFolder()
  readonly #env: Record<string, string>
  readonly #running = new Map<string, Running>()

  constructor(env: Record<string, string>) {
    this.#env = { TRUSTNET_ANNOUNCE_ALLOW: 'loopback', TRUSTNET_LISTEN_PORT: '0', ...env }
  }

  env(name: string): Record<string, string> {
    return { ...this.#env, TRUSTNET_HOME: join(this.#folder.path, name) }
  }

  client(name: string): ControlApi {
    return controlClient({ path: join(this.#folder.path, name, 'run', `${name}.sock`) })
  }

  start(name: string, argv: string[], more: Record<string, string> = {}): void {
    this.#running.set(name, startProgram(argv, { ...this.env(name), ...more }))
  }

  async stop(name: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const running = this.#running.get(name)
    running?.process.kill(signal)
    await running?.ended
  }

  async root(): Promise<void> {
    const init = ['init', '--name', 'root', '--domain', 'example.test', '--new-network', '--json']
    expect((await runProgram(init, this.env('root'))).code).toBe(0)
    this.start('root', ['registry', 'start'])
    await this.member('root')
  }

  async invite(name: string, role: string): Promise<string> {
    return (await runProgram(['invite', '--name', name, '--role', role], this.env('root'))).out.trim()
  }

  async member(name: string): Promise<void> {
    await vi.waitFor(async () => expect((await this.client(name).status()).membership.state).toBe('member'), waiting)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.stop(name)))
    expect(processesOf(this.#folder.path)).toEqual([])
    this.#folder[Symbol.dispose]()
  }
}

const named = (spans: readonly ReceivedSpan[], name: string, node: string): ReceivedSpan | undefined =>
  spans.find((span) => span.name === name && span.node === node)

test('a receiver gets the join of a node through a secondary as one trace, and its syncs, pushes, lookups and change of registry', async () => {
  await using receiver = await OtlpReceiver.open()
  const { spans } = receiver
  await using machines = new Machines({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url })
  await machines.root()
  machines.start('second', ['registry', 'start', '--name', 'second'], {
    TRUSTNET_INVITE: await machines.invite('second', 'secondary')
  })
  await machines.member('second')
  const { multiaddrs } = await machines.client('second').identity()
  const invite = decodeInvite(await machines.invite('a', 'integrated'))
  machines.start('a', ['node', 'start'], {
    TRUSTNET_INVITE: encodeInvite({ ...invite, registries: [] }),
    TRUSTNET_BOOTSTRAP_PEERS: multiaddrs.join(',')
  })
  await machines.member('a')
  await vi.waitFor(() => machines.client('a').lookup({ remote: true }), waiting)

  const wanted = ['join', 'register', 'first_sync', 'lookup']
  await vi.waitFor(() => {
    for (const name of wanted) expect(named(spans, name, 'a')).toBeDefined()
    expect(named(spans, 'serve forward', 'root')).toBeDefined()
    expect(spans.some(({ name }) => name === 'push')).toBe(true)
  }, waiting)
  const joined = named(spans, 'join', 'a')
  const ofJoin = spans.filter(({ traceId }) => traceId === joined?.traceId)
  const places = new Map(ofJoin.map(({ name, node, parentSpanId }) => [`${node}: ${name}`, parentSpanId]))
  expect(joined?.parentSpanId).toBeUndefined()
  expect(places).toEqual(
    new Map([
      ['a: join', undefined],
      ['a: register', joined?.spanId],
      ['second: serve register', joined?.spanId],
      ['root: serve forward', joined?.spanId]
    ])
  )
  expect(joined && joined.endMs >= joined.startMs).toBe(true)

  await machines.stop('second', 'SIGKILL')
  await vi.waitFor(() => expect(named(spans, 'failover', 'a')).toBeDefined(), waiting)
  const failover = named(spans, 'failover', 'a')
  const register = spans.find(
    ({ name, node, traceId }) => name === 'register' && node === 'a' && traceId === failover?.traceId
  )
  expect(register?.parentSpanId).toBe(failover?.spanId)
})
