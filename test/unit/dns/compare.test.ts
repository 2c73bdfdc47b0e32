import { describe, expect, it } from 'vitest'
import { addressesToTry, compare, confirmed, type KnownRegistry, liveAddresses } from '../../../src/dns/compare.ts'
import type { Published, ServerAnswer } from '../../../src/dns/published.ts'

const server = (values: string[], more: Partial<ServerAnswer> = {}): ServerAnswer => ({
  server: 'ns1.example.test',
  address: '2001:db8::53',
  values,
  ttlSeconds: 300,
  failure: undefined,
  ...more
})

const at = (...servers: string[][]): Published => ({
  zone: 'example.test',
  servers: servers.map((values) => server(values))
})

const registry = (n: number, more: Partial<KnownRegistry> = {}): KnownRegistry => ({
  peerId: `peer${n}`,
  name: `r${n}`,
  state: 'online',
  connected: true,
  addresses: [`/ip6/2001:db8::${n}/tcp/8000`],
  ...more
})

const compared = (published: Published, ...registries: KnownRegistry[]) => {
  const { edit, rows, notes } = compare({ domain: 'example.test', published, registries, port: 8000 })
  return {
    add: edit.add,
    remove: edit.remove,
    verdicts: rows.map(({ value, verdict }) => `${value} ${verdict}`),
    notes
  }
}

describe('compare', () => {
  it('what is alive and published needs no edit', () => {
    expect(compared(at(['2001:db8::1', '2001:db8::2']), registry(1), registry(2))).toEqual({
      add: [],
      remove: [],
      verdicts: ['2001:db8::1 keep', '2001:db8::2 keep'],
      notes: []
    })
  })

  it('adds one address of a registry that is alive, the most widely reachable', () => {
    const two = registry(2, { addresses: ['/ip6/fd00::2/tcp/8000', '/ip6/2001:db8::2/tcp/8000'] })
    expect(compared(at(['2001:db8::1']), registry(1), two)).toMatchObject({ add: ['2001:db8::2'], remove: [] })
    expect(compared(at(['2001:db8::1', 'fd00::2']), registry(1), two)).toMatchObject({ add: [], remove: [] })
  })

  it('removes the address of a registry that is down for sure, and of no other', () => {
    const published = at(['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8::4', '2001:db8::5'])
    const states = ['online', 'offline', 'left', 'suspect', 'unknown']
    const registries = states.map((state, n) => registry(n + 1, { state, connected: n === 0 }))
    expect(compared(published, ...registries)).toMatchObject({ add: [], remove: ['2001:db8::2', '2001:db8::3'] })
  })

  it('adds nobody whose state is not sure, but one that this process is connected to', () => {
    const unsure = (connected: boolean) => registry(2, { state: 'unknown', connected })
    expect(compared(at(['2001:db8::1']), registry(1), unsure(false)).add).toEqual([])
    expect(compared(at(['2001:db8::1']), registry(1), unsure(true)).add).toEqual(['2001:db8::2'])
  })

  it('never takes the last addresses away', () => {
    expect(compared(at(['2001:db8::1']), registry(1, { state: 'offline', connected: false }))).toMatchObject({
      remove: [],
      verdicts: ['2001:db8::1 keep']
    })
  })

  it('an address of nobody is shown and not in the edit', () => {
    expect(compared(at(['2001:db8::1', '2001:db8::99']), registry(1))).toMatchObject({
      add: [],
      remove: [],
      verdicts: ['2001:db8::1 keep', '2001:db8::99 stray']
    })
  })

  it('an address that only some name servers have is still to be added', () => {
    expect(compared(at(['2001:db8::1', '2001:db8::2'], ['2001:db8::1']), registry(1), registry(2)).add).toEqual([
      '2001:db8::2'
    ])
  })

  it('a registry at another port cannot be found by DNS: a note, no edit', () => {
    const { add, notes } = compared(
      at(['2001:db8::1']),
      registry(1),
      registry(2, { addresses: ['/ip6/2001:db8::2/tcp/8010'] })
    )
    expect(add).toEqual([])
    expect(notes).toEqual([expect.stringMatching(/^r2 listens at .*8010: after an AAAA answer port 8000 is dialled/)])
  })

  it('a name server that does not answer is a note, and the others decide', () => {
    const dead = server([], { server: 'ns2.example.test', failure: { kind: 'timeout', message: 'no answer' } })
    const published = { zone: 'example.test', servers: [server(['2001:db8::1']), dead] }
    expect(compared(published, registry(1))).toMatchObject({
      add: [],
      notes: ['ns2.example.test does not answer: no answer']
    })
  })
})

describe('addresses to publish', () => {
  it('one of each registry that is alive, each once', () => {
    const dead = registry(3, { state: 'offline', connected: false })
    expect(liveAddresses([registry(1), registry(1), registry(2), dead], 8000)).toEqual(['2001:db8::1', '2001:db8::2'])
  })
})

describe('what others say of a registry', () => {
  const told = (...registries: KnownRegistry[]) =>
    compare({
      domain: 'example.test',
      published: at(['2001:db8::1', '2001:db8::2']),
      registries: [registry(1, { connected: false }), ...registries],
      port: 8000
    })
  const down = registry(2, { state: 'left', connected: false })
  const reached = (comparison: ReturnType<typeof told>, ...answers: string[]) => {
    const { edit, rows, notes } = confirmed(comparison, new Set(answers))
    return { add: edit.add, remove: edit.remove, why: rows.map(({ why }) => why).join('; '), notes }
  }

  it('is tried from here, together with an address to compare with; what changes nothing is not tried', () => {
    expect(addressesToTry(told(down))).toEqual(['2001:db8::1', '2001:db8::2'])
    expect(addressesToTry(told(registry(2)))).toEqual([])
  })

  it('takes no address away that answers', () => {
    expect(reached(told(down), '2001:db8::1', '2001:db8::2')).toMatchObject({
      remove: [],
      why: expect.stringContaining('left, but it answers this machine')
    })
  })

  it('takes one away that does not answer, while another one does', () => {
    expect(reached(told(down), '2001:db8::1')).toMatchObject({ remove: ['2001:db8::2'] })
    expect(reached(told(down))).toMatchObject({ remove: [], why: expect.stringContaining('may be cut off') })
  })

  it('adds an address only when it answers, or this process is connected to it', () => {
    const up = registry(3, { connected: false })
    expect(reached(told(registry(2), up), '2001:db8::1')).toMatchObject({
      add: [],
      notes: [expect.stringContaining('2001:db8::3 is not to be added: r3 is said to be up')]
    })
    expect(reached(told(registry(2), up), '2001:db8::3')).toMatchObject({ add: ['2001:db8::3'], notes: [] })
    expect(reached(told(registry(2), registry(3)))).toMatchObject({ add: ['2001:db8::3'] })
  })

  it('leaves an address at the name servers that have it, when it does not answer', () => {
    const published = at(['2001:db8::1', '2001:db8::2'], ['2001:db8::1'])
    const registries = [registry(1), registry(2, { connected: false })]
    const comparison = compare({ domain: 'example.test', published, registries, port: 8000 })
    expect(reached(comparison)).toMatchObject({ add: [], remove: [] })
  })
})
