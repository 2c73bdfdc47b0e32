import { expect, test, vi } from 'vitest'
import { decodeInvite, encodeInvite } from '../../../src/registry/objects/invite.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { Machines } from '../../helpers/machines.ts'
import { OtlpReceiver, type ReceivedSpan } from '../../helpers/servers/otlp-receiver.ts'

const waiting = { timeout: ceilingMs, interval: 50 }

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

  // It goes on from the root what it had from the secondary.
  await vi.waitFor(() => {
    const deltas = spans.filter(({ name, node, failed }) => name === 'delta' && node === 'a' && !failed)
    const served = spans.filter(({ name, node }) => name === 'serve sync' && node === 'root')
    const together = deltas.filter(({ traceId, spanId }) =>
      served.some((span) => span.traceId === traceId && span.parentSpanId === spanId)
    )
    expect(together).not.toEqual([])
  }, waiting)
})
