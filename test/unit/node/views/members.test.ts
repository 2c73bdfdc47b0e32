import type { Connection } from '@libp2p/interface'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { peerIdText } from '../../../../src/identity/keys.ts'
import { formerName, logView } from '../../../../src/node/views/log-view.ts'
import { lookupHere } from '../../../../src/node/views/lookup-view.ts'
import { countStates, memberRows, type RowSource } from '../../../../src/node/views/member-rows.ts'
import { byEnd, findMember, requireKey, requireMember, revokedByName } from '../../../../src/node/views/peer-names.ts'
import { sealRecord } from '../../../../src/registry/objects/record.ts'
import { openRegistry, type Registry } from '../../../../src/registry/registry.ts'
import { AmbiguousNameError, InvalidPayloadError, NotFoundError } from '../../../../src/runtime/errors.ts'
import { keyNumber, LogNetwork } from '../../../helpers/log-network.ts'
import { serviceNamed } from '../../../helpers/signed-objects.ts'

const peerIdOf = (member: number): string => peerIdText(keyNumber(member).publicKey)

/** The registry of a root with members m1 to mN. */
async function rootWith(members: number): Promise<{ registry: Registry; log: LogNetwork }> {
  const log = new LogNetwork()
  const { path } = await log.create()
  const { rootKey, logKey, clock } = log
  const registry = await openRegistry({ path, role: 'root', nodeKey: rootKey, root: { logKey } }, { clock })
  onTestFinished(() => registry.close())
  const drafts = Array.from({ length: members }, (_, i) => log.admit(registry.networkId, i + 1))
  await registry.root?.append(drafts)
  return { registry, log }
}

const connection = (direction: 'inbound' | 'outbound', openForMs: number): Connection => {
  const shape = { direction, status: 'open', openForMs, streams: [{}, {}] }
  const remoteAddr = { toString: () => '/ip6/2001:db8::7/tcp/9000' }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the fields that a row reads
  return { ...shape, remoteAddr } as unknown as Connection
}

const sourceOf = (
  { registry, log }: { registry: Registry; log: LogNetwork },
  change: Partial<RowSource> = {}
): RowSource => ({
  registry,
  trust: { members: function* () {}, openForMs: () => 0 },
  traffic: { of: () => undefined },
  rttMs: () => undefined,
  answeredAgeMs: () => undefined,
  self: log.rootKey.publicKey,
  announced: ['/ip6/2001:db8::1/tcp/8000'],
  software: '0.1.0',
  leaseHolder: undefined,
  now: log.clock.now(),
  ...change
})

/** A connection to member m1. */
const connected = (one: Connection): RowSource['trust'] => ({
  members: function* () {
    yield { connection: one, member: { publicKey: keyNumber(1).publicKey, name: 'm1', role: 'integrated' as const } }
  },
  openForMs: (each) => ('openForMs' in each ? Number(each.openForMs) : 0)
})

describe('a peer is named', () => {
  it('by name, PeerId, or the end of the PeerId', async () => {
    const { registry } = await rootWith(3)
    const names = ['m2', peerIdOf(2), peerIdOf(2).slice(-8), peerIdOf(2).slice(-6)]
    expect(names.map((name) => findMember(registry, name)?.name)).toEqual(['m2', 'm2', 'm2', 'm2'])
  })

  it('not by less than 6 characters, and a miss offers the nearest name', async () => {
    const { registry } = await rootWith(1)
    expect(() => requireMember(registry, peerIdOf(1).slice(-5))).toThrow(NotFoundError)
    expect(() => requireMember(registry, 'rot')).toThrow('did you mean root?')
  })

  it('by an end that fits several only when more of it is given', () => {
    const one = keyNumber(1).publicKey
    // The same number but for a multiple of 58^6 ends with the same 6 characters in base58.
    const number = BigInt(`0x${Buffer.from(one).toString('hex')}`) - 58n ** 6n
    const other = Uint8Array.from(Buffer.from(number.toString(16).padStart(64, '0'), 'hex'))
    const all = [{ publicKey: one }, { publicKey: other }, { publicKey: keyNumber(2).publicKey }]
    const end = peerIdText(other).slice(-6)
    expect(() => byEnd(all, end)).toThrow(AmbiguousNameError)
    expect(byEnd(all, peerIdText(other).slice(-9))?.publicKey).toEqual(other)
    expect(byEnd(all, end.slice(1))).toBeUndefined()
  })

  it('by any whole PeerId where a key is enough', async () => {
    const { registry } = await rootWith(0)
    expect(requireKey(registry, peerIdOf(9))).toEqual(keyNumber(9).publicKey)
    expect(() => requireMember(registry, peerIdOf(9))).toThrow('is no member')
  })
})

describe('rows of members', () => {
  it('put self first, then by name; what is not known is null and never 0', async () => {
    const world = await rootWith(2)
    const rows = await memberRows(sourceOf(world))
    expect(rows.map(({ name, self }) => [name, self])).toEqual([
      ['root', true],
      ['m1', false],
      ['m2', false]
    ])
    expect(rows[1]).toMatchObject({
      state: 'unknown',
      reason: 'never heard',
      direction: null,
      rttUs: null,
      seenAgeMs: null,
      uptimePercent: null,
      seq: null,
      address: null,
      streams: null,
      bytesIn: null,
      version: null,
      lastError: null
    })
    expect(rows[0]).toMatchObject({
      address: expect.stringMatching(/^\/ip6\/2001:db8::1\/tcp\/8000\/p2p\/12D3KooW\w+$/),
      version: '0.1.0',
      source: 'self',
      state: 'online'
    })
    expect(countStates(rows)).toEqual({ online: 1, late: 0, suspect: 0, offline: 0, left: 0, unknown: 2 })
  })

  it('call a member online that answers here, of whom no registry speaks', async () => {
    const world = await rootWith(1)
    const now = world.log.clock.now()
    const trust = connected(connection('outbound', 100_000))
    const [, row] = await memberRows(sourceOf(world, { trust, answeredAgeMs: () => 700, rttMs: () => 1.5 }))
    expect(row).toMatchObject({
      state: 'online',
      stateSinceMs: now - 100_000,
      seenAgeMs: 700,
      rttUs: 1500,
      direction: 'out',
      streams: 2
    })
    expect(row?.address).toBe(`/ip6/2001:db8::7/tcp/9000/p2p/${row?.peerId}`)
  })

  it('do not count what was seen before the registry was gone that spoke for a member', async () => {
    const world = await rootWith(2)
    const { liveness } = world.registry
    const [member, source] = [keyNumber(1).publicKey, keyNumber(2).publicKey]
    const place = { seq: 1, start: 1, count: 1 }
    const told = {
      ...place,
      heardMs: 0,
      state: 'online',
      sinceMs: 0,
      reason: '',
      rttMs: undefined,
      connected: []
    } as const
    liveness.merge({ publicKey: member, source, ...told })
    liveness.sourceGone(source, 'the registry said nothing')
    world.log.clock.nowMs += 5_000
    const trust = connected(connection('outbound', 100_000))
    const stateWhen = async (ageMs: number) =>
      (await memberRows(sourceOf(world, { trust, answeredAgeMs: () => ageMs })))[1]?.state
    expect([await stateWhen(6_000), await stateWhen(4_000)]).toEqual(['unknown', 'online'])
  })

  it('do not believe in an old connection that answers nothing', async () => {
    const world = await rootWith(1)
    const old = sourceOf(world, { trust: connected(connection('inbound', 100_000)) })
    expect((await memberRows(old))[1]).toMatchObject({ state: 'unknown', direction: 'in' })
    const young = sourceOf(world, { trust: connected(connection('inbound', 1000)) })
    expect((await memberRows(young))[1]).toMatchObject({ state: 'online', seenAgeMs: 1000 })
  })

  it('show what the record says, and an error only until a later success', async () => {
    const world = await rootWith(1)
    const { registry, log } = world
    const { publicKey } = keyNumber(1)
    const record = sealRecord(
      {
        networkId: registry.networkId,
        publicKey,
        seq: 4,
        addrs: ['/ip6/2001:db8::5/tcp/9000'],
        registryKey: log.rootKey.publicKey,
        roles: ['integrated'],
        services: [serviceNamed('web')],
        tags: ['eu'],
        software: '0.1.0',
        reach: 'outbound',
        left: false,
        issuedMs: log.clock.now()
      },
      keyNumber(1)
    )
    await registry.records.put(record.bytes, { source: 'gossip' })
    registry.liveness.notes.failed(publicKey, 'connect ECONNREFUSED')
    expect((await memberRows(sourceOf(world)))[1]).toMatchObject({
      seq: 4,
      address: `/ip6/2001:db8::5/tcp/9000/p2p/${peerIdText(publicKey)}`,
      services: [{ name: 'web', port: 80, protocol: 'tcp' }],
      tags: ['eu'],
      reach: 'outbound',
      source: 'gossip',
      registry: { name: 'root' },
      lastError: { message: 'connect ECONNREFUSED', ageMs: 0 }
    })
    log.clock.nowMs += 1000
    registry.liveness.notes.connected(publicKey, '/ip6/2001:db8::5/tcp/9000')
    expect((await memberRows(sourceOf(world)))[1]?.lastError).toBeNull()
  })
})

describe('lookup in the own replica', () => {
  it('gives every member once over its pages, and the one that is named', async () => {
    const world = await rootWith(12)
    const source = sourceOf(world)
    const names = new Set<string | null>()
    let rows = 0
    let after: string | undefined
    do {
      const page = await lookupHere(source, { limit: 5, after })
      for (const { name } of page.rows) names.add(name)
      rows += page.rows.length
      after = page.next ?? undefined
    } while (after !== undefined)
    expect([names.size, rows]).toEqual([13, 13])
    expect((await lookupHere(source, { peer: 'm7' })).rows).toMatchObject([{ name: 'm7' }])
    expect(await lookupHere(source, { peer: 'nobody' })).toMatchObject({ rows: [], next: null })
  })

  it('filters by the state as it is shown', async () => {
    const world = await rootWith(3)
    const source = sourceOf(world, { trust: connected(connection('outbound', 0)), answeredAgeMs: () => 1 })
    const names = async (state: 'online' | 'unknown') =>
      new Set((await lookupHere(source, { state, limit: 2 })).rows.map(({ name }) => name))
    expect(await names('online')).toEqual(new Set(['m1', 'root']))
    expect(await names('unknown')).toEqual(new Set(['m2', 'm3']))
    await expect(lookupHere(source, { after: 'x' })).rejects.toThrow(InvalidPayloadError)
  })
})

describe('the log', () => {
  it('shows its newest entries, and pages from any position', async () => {
    const { registry } = await rootWith(10)
    const newest = logView(registry, { limit: 3 })
    expect(newest.entries.map(({ n }) => n)).toEqual([10, 11, 12])
    expect(newest.next).toBeNull()
    const first = logView(registry, { after: 0, limit: 2 })
    expect(first.entries.map(({ n, kind }) => [n, kind])).toEqual([
      [1, 'admit'],
      [2, 'registry-set']
    ])
    expect(first.next).toBe(2)
    expect(logView(registry, { limit: 100 }).entries[0]).toMatchObject({
      n: 0,
      kind: 'genesis',
      subject: null,
      detail: expect.stringContaining('network Example of example.org, admission by invite')
    })
  })

  it('still names a member whose key was revoked', async () => {
    const { registry } = await rootWith(1)
    await registry.admission.revoke(keyNumber(1).publicKey, 'stolen')
    const last = logView(registry, { limit: 1 }).entries[0]
    expect(last).toMatchObject({ kind: 'revoke', detail: 'stolen', subject: { peerId: peerIdOf(1), name: 'm1' } })
  })

  it('names a key that took the place of another by the name that went over, also when it was revoked', async () => {
    const { registry, log } = await rootWith(1)
    await registry.root?.append([log.rotate(registry.networkId, 1, 2)])
    expect(revokedByName(registry, 'm1')?.publicKey).toEqual(keyNumber(1).publicKey)
    await registry.admission.revoke(keyNumber(2).publicKey, 'stolen')
    const last = logView(registry, { limit: 1 }).entries[0]
    expect(last).toMatchObject({ kind: 'revoke', subject: { peerId: peerIdOf(2), name: 'm1' } })
    // Of the two keys that are shut out now the newer one is what `why m1` is about.
    expect(revokedByName(registry, 'm1')?.publicKey).toEqual(keyNumber(2).publicKey)
  })

  it('reads the entries of a revoked key once, however often a name is asked for that nobody has', async () => {
    const { registry } = await rootWith(5)
    for (const at of [1, 2, 3]) await registry.admission.revoke(keyNumber(at).publicKey, 'stolen')
    const about = vi.spyOn(registry.replica.ledger.table, 'about')
    expect(revokedByName(registry, 'nobody')).toBeUndefined()
    expect(about).toHaveBeenCalledTimes(3)
    expect(revokedByName(registry, 'nobody')).toBeUndefined()
    expect(revokedByName(registry, 'm2')?.publicKey).toEqual(keyNumber(2).publicKey)
    expect(about).toHaveBeenCalledTimes(3)
  })

  it('follows a name over a few keys, however many a member has taken', async () => {
    const { registry, log } = await rootWith(1)
    const rotations = Array.from({ length: 12 }, (_, at) => log.rotate(registry.networkId, at + 1, at + 2))
    await registry.root?.append(rotations)
    const names = Array.from({ length: 13 }, (_, at) => formerName(registry, keyNumber(at + 1).publicKey))
    expect(names).toEqual([...Array.from({ length: 9 }, () => 'm1'), null, null, null, null])
    expect(findMember(registry, 'm1')?.publicKey).toEqual(keyNumber(13).publicKey)
  })
})
