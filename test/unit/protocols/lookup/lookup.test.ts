import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { peerIdText, SigningKey } from '../../../../src/identity/keys.ts'
import type { Role } from '../../../../src/identity/role.ts'
import { FrameStream } from '../../../../src/protocols/engine/frames.ts'
import { limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { statuses } from '../../../../src/protocols/engine/status.ts'
import {
  type LookupOptions,
  LookupStream,
  lookup,
  lookupAll,
  lookupId,
  lookupServer
} from '../../../../src/protocols/lookup/index.ts'
import { LookupAnswer, LookupRequest } from '../../../../src/protocols/lookup/pb/lookup.ts'
import { unheardView } from '../../../../src/registry/liveness/view.ts'
import {
  type LookupMember,
  type LookupPage,
  type LookupQuery,
  lookup as lookupIn
} from '../../../../src/registry/records/lookup.ts'
import type { Records } from '../../../../src/registry/records/records.ts'
import { KeyOrder } from '../../../../src/registry/records/sorted-keys.ts'
import { ceilingMs } from '../../../helpers/ceiling.ts'
import { type MemberHost, type Members, startMember } from '../../../helpers/hosts/members.ts'
import { connect, withoutSockets } from '../../../helpers/hosts.ts'
import { recordOf } from '../../../helpers/observations.ts'
import { networkId, otherNetworkId, serviceNamed } from '../../../helpers/signed-objects.ts'

withoutSockets()

const limits = limitsWith({ lookup: { questions: { count: 50, perMs: 3_600_000 }, requestBytes: 300 } })
const options: LookupOptions = { networkId, limits }

type Services = { lookup: unknown }
const hosts: MemberHost<Services>[] = []

/** The members as a registry keeps them, with real records. */
class Directory {
  readonly order = new KeyOrder()
  readonly rows = new Map<string, LookupMember>()
  readonly members: Members = new Map()

  async admit(to: Records, name: string, role: Role = 'integrated', admitBytes = 300): Promise<SigningKey> {
    const key = SigningKey.generate()
    const id = peerIdText(key.publicKey)
    this.rows.set(id, { publicKey: key.publicKey, name, role, admitN: admitBytes })
    this.order.add(key.publicKey)
    this.members.set(id, role)
    await to.put(recordOf(key, 1, { services: [serviceNamed(`service-${role}`)] }).bytes)
    return key
  }

  source(records: Records) {
    return {
      member: (key: Uint8Array) => this.rows.get(peerIdText(key)),
      memberByName: (name: string) => [...this.rows.values()].find((each) => each.name === name),
      keysAfter: (after: Uint8Array | undefined, limit: number) => this.order.after(after, limit),
      keysOfRole: (role: Role, after: Uint8Array | undefined, limit: number) =>
        this.order
          .after(after, this.order.size)
          .filter((key) => this.members.get(peerIdText(key)) === role)
          .slice(0, limit),
      // Positions say here how long the entries are.
      entryBytes: (n: number) => new Uint8Array(n),
      records,
      liveness: {
        view: (key: Uint8Array) => ({ ...unheardView(key), state: 'online' as const, heardAgeMs: 1_200.4 }),
        states: { stateOf: () => 'online' as const, keysIn: () => undefined }
      }
    }
  }
}

let directory: Directory
let registry: MemberHost<Services>
let asker: MemberHost<Services>

const start = async (members: Members, role: Role | 'stranger', services: 'registry' | 'none') => {
  const member = await startMember<Services>({
    members,
    role,
    services: ({ trust, records }) => ({
      lookup:
        services === 'none'
          ? () => ({})
          : lookupServer({
              source: {
                networkId,
                lookup: (query) => lookupIn(query, directory.source(records)),
                replicaAgeMs: () => 42.7
              },
              trust,
              limits
            })
    })
  })
  hosts.push(member)
  return member
}

beforeEach(async () => {
  directory = new Directory()
  registry = await start(directory.members, 'root', 'registry')
  asker = await start(directory.members, 'integrated', 'none')
})

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host[Symbol.asyncDispose]()))
})

describe('lookup over the wire', () => {
  test('finds a member by name, by key, by role and by service, with its verified record', async () => {
    const alpha = await directory.admit(registry.records, 'alpha', 'secondary')
    await directory.admit(registry.records, 'beta')
    const connection = await connect(asker.host, registry.host)
    for (const query of [
      { name: 'alpha' },
      { publicKey: alpha.publicKey },
      { role: 'secondary' as const },
      { service: 'service-secondary' },
      { name: 'alpha', role: 'secondary' as const, state: 'online' as const }
    ]) {
      const page = await lookup(connection, query, options)
      expect(page.rows.map(({ name }) => name)).toEqual(['alpha'])
      expect(page.rows[0]?.record?.value.seq).toBe(1)
      expect(page.rows[0]).toMatchObject({ role: 'secondary', state: 'online', heardMs: 1_200 })
      expect(page.replicaAgeMs).toBe(43)
    }
    const none = await lookup(connection, { name: 'alpha', role: 'root' }, options)
    expect(none).toMatchObject({ rows: [] })
    expect(none.next).toBeUndefined()
  })

  test('gives every row exactly once while members come, in pages that fit into a frame', async () => {
    const keys = new Set<string>()
    for (let index = 0; index < 300; index++) {
      keys.add(peerIdText((await directory.admit(registry.records, `node-${index}`, 'integrated', 2_500)).publicKey))
    }
    const connection = await connect(asker.host, registry.host)
    const seen: string[] = []
    let pages = 0
    for await (const page of lookupAll(connection, { limit: 500 }, options)) {
      pages++
      seen.push(...page.rows.map(({ publicKey }) => peerIdText(publicKey)))
      await directory.admit(registry.records, `late-${pages}`)
    }
    expect(pages).toBeGreaterThan(3)
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen.filter((key) => keys.has(key))).toHaveLength(300)
  })

  test('ends with a registry whose listing has no end', async () => {
    const keyAt = (number: number): Uint8Array => {
      const key = new Uint8Array(32)
      new DataView(key.buffer).setUint32(0, number)
      return key
    }
    const generous = limitsWith()
    // So many that a test of a listing without a limit ends, too.
    const all = 60_000
    const endless = (query: LookupQuery): LookupPage => {
      const { after = keyAt(0), limit = 100 } = query
      const from = new DataView(after.buffer, after.byteOffset).getUint32(0)
      const rows = Array.from({ length: limit }, (_, at): LookupPage['rows'][number] => {
        const publicKey = keyAt(from + at + 1)
        return {
          publicKey,
          name: `m${from + at + 1}`,
          role: 'integrated',
          record: undefined,
          admit: new Uint8Array(0),
          liveness: unheardView(publicKey)
        }
      })
      return { rows, looked: 0, ...(from + limit < all && { next: keyAt(from + limit) }) }
    }
    const liar = await startMember<Services>({
      members: directory.members,
      role: 'secondary',
      services: ({ trust }) => ({
        lookup: lookupServer({ source: { networkId, lookup: endless, replicaAgeMs: () => 1 }, trust, limits: generous })
      })
    })
    hosts.push(liar)
    const connection = await connect(asker.host, liar.host)
    let rows = 0
    const listing = async (): Promise<void> => {
      for await (const page of lookupAll(connection, { limit: 500 }, { networkId, limits: generous }))
        rows += page.rows.length
    }
    await expect(listing()).rejects.toMatchObject({
      name: 'InvalidPayloadError',
      message: 'the registry lists more than 50000 members'
    })
    expect(rows).toBe(50_000)
  })

  test('answers many questions on one stream in their order', async () => {
    await directory.admit(registry.records, 'alpha')
    await directory.admit(registry.records, 'beta')
    const connection = await connect(asker.host, registry.host)
    await using stream = await LookupStream.open(connection, options)
    const names = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 'alpha' : 'beta'))
    const pages = await Promise.all(names.map((name) => stream.ask({ name })))
    expect(pages.map((page) => page.rows[0]?.name)).toEqual(names)
  })

  test.each([
    ['another network', { networkId: otherNetworkId, version: 1 }, statuses.WRONG_NETWORK],
    ['a newer version', { networkId, version: 2 }, statuses.UNSUPPORTED_VERSION],
    ['a role of a newer version', { networkId, version: 1, role: 99 }, statuses.UNSUPPORTED_VERSION],
    ['a key of another length', { networkId, version: 1, publicKey: new Uint8Array(31) }, statuses.MALFORMED],
    ['a text too long to match', { networkId, version: 1, name: 'x'.repeat(65) }, statuses.INVALID]
  ])('refuses %s with its status', async (_what, request, status) => {
    expect(await raw(LookupRequest.encode(request))).toMatchObject({ status })
  })

  test('refuses bytes that are no request, and drops the stream of a frame that is too long', async () => {
    expect(await raw(Uint8Array.of(0x0a, 0xff, 0xff))).toMatchObject({ status: statuses.MALFORMED })
    await expect(raw(new Uint8Array(400))).rejects.toThrow(/reset|closed|ended/)
  })

  test('refuses more questions than allowed, with the time to wait', async () => {
    await directory.admit(registry.records, 'alpha')
    const connection = await connect(asker.host, registry.host)
    await using stream = await LookupStream.open(connection, options)
    for (let index = 0; index < 50; index++) await stream.ask({ name: 'alpha' })
    await expect(stream.ask({ name: 'alpha' })).rejects.toThrow(
      expect.objectContaining({ name: 'RateLimitedError', retryAfterMs: expect.any(Number) })
    )
  })

  test('a stranger is told that it is no member', async () => {
    const stranger = await start(new Map(), 'stranger', 'none')
    const connection = await connect(stranger.host, registry.host)
    await expect(lookup(connection, {}, options)).rejects.toThrow(expect.objectContaining({ name: 'NotMemberError' }))
  })

  test('a question ends with the signal of its asker', async () => {
    const connection = await connect(asker.host, registry.host)
    const controller = new AbortController()
    const stream = await LookupStream.open(connection, { ...options, signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(stream.ask({})).rejects.toThrow('enough')
  })
})

async function raw(request: Uint8Array): Promise<LookupAnswer> {
  const connection = await connect(asker.host, registry.host)
  const stream = await connection.newStream(lookupId)
  const frames = new FrameStream(stream, { maxFrame: 262_144, limits: limits.stream })
  await frames.write(request)
  const answer = await frames.read({ signal: AbortSignal.timeout(ceilingMs) })
  if (answer === undefined) throw new Error('no answer')
  await frames.close()
  return LookupAnswer.decode(answer)
}
