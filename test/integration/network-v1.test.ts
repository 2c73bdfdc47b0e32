import { chmodSync, cpSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { equals } from 'uint8arrays/equals'
import { describe, expect, it } from 'vitest'
import { sha256 } from '../../src/identity/hash.ts'
import { parseNetworkId } from '../../src/identity/network-id.ts'
import { verifyStoreAt } from '../../src/node/offline/stopped-store.ts'
import { AdminAnswer, AdminRequest } from '../../src/protocols/admin/pb/admin.ts'
import { decodeAnnouncement } from '../../src/protocols/announce/message.ts'
import { BlockAnswer, BlocksRequest } from '../../src/protocols/blocks/pb/blocks.ts'
import { ForwardAnswer, ForwardRequest } from '../../src/protocols/forward/pb/forward.ts'
import { Hello } from '../../src/protocols/hello/pb/hello.ts'
import { publicKeyOfRecordKey } from '../../src/protocols/kad/record-key.ts'
import { LookupAnswer, LookupRequest } from '../../src/protocols/lookup/pb/lookup.ts'
import { ProbeAnswer, ProbeRequest } from '../../src/protocols/probe/pb/probe.ts'
import { SessionFrame } from '../../src/protocols/register/pb/register.ts'
import { SyncFrame, SyncRequest } from '../../src/protocols/sync/pb/sync.ts'
import { openCheckpoint } from '../../src/registry/objects/checkpoint.ts'
import { entryKinds } from '../../src/registry/objects/entry.ts'
import { openRecord } from '../../src/registry/objects/record.ts'
import { TestNetwork } from '../helpers/network.ts'

const folderOf = (fixture: string) => new URL(`../fixtures/${fixture}/`, import.meta.url).pathname
const read = (fixture: string, name: string) => JSON.parse(readFileSync(join(folderOf(fixture), name), 'utf8'))

interface Facts {
  networkId: string
  n: number
  headHash: string
  stateRoot: string
  members: string[]
  peerIds: { root: string; web: string; db: string }
  /** Not of the first network, which has one epoch. */
  epoch?: number
}

/** The network that was made with the formats, and one with more in its log and on its wire. */
const first = 'network-v1'
const grown = 'network-v1-grown'
const factsOf: Readonly<Record<string, Facts>> = {
  [first]: read(first, 'facts.json'),
  [grown]: read(grown, 'facts.json')
}
const keys = ['node.key', 'log.key', 'operator.key']

/** A copy of the root's files in the folder of a root that is about to start. */
function copyTo(network: TestNetwork, fixture: string): string {
  const folder = join(network.folder, 'data', 'root')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  cpSync(folderOf(fixture), folder, { recursive: true })
  for (const name of keys) chmodSync(join(folder, name), 0o600)
  return folder
}

const codecs: ReadonlyMap<string, { decode(bytes: Uint8Array): object; encode(message: object): Uint8Array }> = new Map(
  Object.entries({
    Hello,
    SessionFrame,
    LookupRequest,
    LookupAnswer,
    SyncRequest,
    SyncFrame,
    ProbeRequest,
    ProbeAnswer,
    AdminRequest,
    AdminAnswer,
    BlocksRequest,
    BlockAnswer,
    ForwardRequest,
    ForwardAnswer
  })
)
interface Frame {
  /** Frames of the first network are of streams alone. */
  protocol?: string
  message: string
  key?: string
  bytes: string
}
const framesOf = (fixture: string): Frame[] => read(fixture, 'frames.json')

describe.each(Object.entries(factsOf))('%s, a network of version 1 of the formats', (fixture, facts) => {
  it('is verified entry by entry, from its store alone', async () => {
    await using network = new TestNetwork()
    const view = await verifyStoreAt(join(copyTo(network, fixture), 'registry.db'))
    const documents = fixture === first ? 0 : 4
    expect(view).toMatchObject({ head: { n: facts.n, hash: facts.headHash }, documents })
  })

  it('goes on when its root starts: members, groups, services and the policy are there', async () => {
    await using network = new TestNetwork({ networkId: facts.networkId })
    copyTo(network, fixture)
    const root = await network.start('root', { role: 'root' })
    expect(root.peerId).toBe(facts.peerIds.root)
    const { state } = root.registry.replica
    expect(state.head).toMatchObject({ n: facts.n, epoch: facts.epoch ?? 0 })
    expect(Buffer.from(state.root()).toString('hex')).toBe(facts.stateRoot)
    expect([...state.members()].map(({ name }) => name).toSorted()).toEqual(facts.members)
    expect(state.memberByName('db-2')).toMatchObject({ role: 'external', groups: ['db', 'eu'] })
    expect([...state.grants()]).toMatchObject([{ grant: { note: 'the lab', groups: ['lab'], uses: 5 }, taken: 0 }])
    const postgres = { from: 'web', to: 'db', service: 'postgres' }
    expect(state.policy).toMatchObject({ rules: [postgres], publishing: 'registries' })
    const call = { from: 'web-1', to: 'db-2', service: 'postgres' }
    expect(await root.control.policyCall(call)).toMatchObject({ allowed: true, rule: postgres })
    expect(await root.control.policyCall({ ...call, service: 'ssh' })).toMatchObject({ allowed: false, rule: null })
    const [web] = (await root.control.lookup({ service: 'http' })).rows
    expect(web).toMatchObject({ name: 'web-1' })
    expect(web?.services).toEqual(expect.arrayContaining([expect.objectContaining({ name: 'http', port: 8080 })]))
    if (fixture === first) {
      expect([state.operators().length, [...state.revokedKeys()].length]).toEqual([1, 1])
      return
    }
    // One was revoked by two operators, the other one is that of before a rotation.
    expect([...state.revokedKeys()]).toHaveLength(2)
    expect(state.memberByName('ci-1')).toMatchObject({ groups: ['ci'], ephemeralMs: 3_650 * 24 * 3_600_000 })
    expect(state.memberByName('let-go')).toBeUndefined()
    expect(state.operators().map(({ name }) => name)).toEqual([expect.any(String), 'ann'])
    expect(state.policy.twoOperators).toEqual([3])
    expect(state.publishers()).toHaveLength(1)
    expect(state.keys.authorities).toHaveLength(2)
    const { publicKey } = state.memberByName('web-1') ?? { publicKey: new Uint8Array() }
    const record = root.registry.records.read(publicKey)
    expect(record?.maintenance).toMatchObject({ reason: 'moves to another rack' })
    expect(record?.stores).toMatchObject([{ name: 'notes' }])
    const text = async (id: string) => Buffer.from((await root.documents.get(id)).bytes).toString()
    expect([await text('plan'), await text('motd')]).toEqual(['the second plan', 'written by web-1'])
    await expect(text('old')).rejects.toThrow('was retired (not needed)')
  })

  it('sent frames that are read, and written again as they were', () => {
    const frames = framesOf(fixture)
    const seen = new Set(frames.map(({ message }) => message))
    const due =
      fixture === first ? ['Hello', 'SessionFrame', 'LookupRequest', 'LookupAnswer', 'SyncFrame'] : codecs.keys()
    expect([...due].filter((message) => !seen.has(message))).toEqual([])
    for (const { message, bytes } of frames.filter((frame) => codecs.has(frame.message))) {
      const codec = codecs.get(message)
      const again = codec?.encode(codec.decode(Buffer.from(bytes, 'hex'))) ?? new Uint8Array()
      expect({ message, bytes: Buffer.from(again).toString('hex') }).toEqual({ message, bytes })
    }
  })
})

describe('the network with more in it', () => {
  const facts = factsOf[grown]
  const of = (protocol: string) => framesOf(grown).filter((frame) => frame.protocol === protocol)
  const networkId = parseNetworkId(facts?.networkId ?? '')
  const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

  it('has an epoch behind the first, and in its log each kind of entry', async () => {
    expect(facts?.epoch).toBe(1)
    await using network = new TestNetwork()
    const db = new BetterSqlite3(join(copyTo(network, grown), 'registry.db'), { readonly: true })
    const kinds = db.prepare('SELECT DISTINCT kind FROM log ORDER BY kind').pluck().all()
    db.close()
    expect(kinds).toEqual(Object.values(entryKinds))
  })

  it('sent a document in a request, and its bytes as blocks', () => {
    const contents = of('admin').filter(({ message }) => message === 'content')
    expect(contents.map(({ bytes }) => Buffer.from(bytes, 'hex').toString())).toEqual(['written by web-1'])
    const requests = of('blocks').filter(({ message }) => message === 'BlocksRequest')
    const asked = requests.flatMap(({ bytes }) => BlocksRequest.decode(unhex(bytes)).digests)
    const answers = of('blocks').filter(({ message }) => message === 'BlockAnswer')
    const given = answers.map(({ bytes }) => BlockAnswer.decode(unhex(bytes)))
    for (const { digest, bytes } of given.filter(({ absent }) => !absent)) expect(sha256(bytes)).toEqual(digest)
    expect(asked.some((digest) => given.some((each) => equals(each.digest, digest)))).toBe(true)
  })

  it('put a record with a service into its session', () => {
    const puts = of('register').flatMap(({ bytes }) => SessionFrame.decode(unhex(bytes)).put ?? [])
    const services = puts.flatMap(({ record }) => openRecord(record, networkId).value.services)
    expect(services.map(({ name }) => name)).toContain('metrics')
  })

  it('announced what opens, and held records in the DHT under the keys of their members', () => {
    for (const { bytes } of of('announce')) {
      const said = decodeAnnouncement(unhex(bytes))
      const envelope = said?.envelope ?? new Uint8Array()
      const open = said?.kind === 'head' ? openCheckpoint : openRecord
      expect(() => open(envelope, networkId)).not.toThrow()
    }
    for (const { key = '', bytes } of of('kad')) {
      const { publicKey } = openRecord(unhex(bytes), networkId).value
      expect(equals(publicKeyOfRecordKey(unhex(key)), publicKey)).toBe(true)
    }
    expect([of('announce').length > 0, of('kad').length > 0]).toEqual([true, true])
  })
})
