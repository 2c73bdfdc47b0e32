// Makes test/fixtures/vectors/exchanges.json: what is said on a stream, frame by frame, and what becomes of it. The objects in it are those of
// the other vectors. Run after `npm run build`; a second run writes the same.

import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { encodeAddr } from '../dist/src/address/multiaddr.js'
import { SigningKey } from '../dist/src/identity/keys.js'
import { questions } from '../dist/src/protocols/admin/descriptor.js'
import { AdminAnswer, AdminQuestion, AdminRequest } from '../dist/src/protocols/admin/pb/admin.js'
import { BlockAnswer, BlocksRequest } from '../dist/src/protocols/blocks/pb/blocks.js'
import { defaultLimits as limits } from '../dist/src/protocols/engine/limits.js'
import { statuses } from '../dist/src/protocols/engine/status.js'
import { ForwardAnswer, ForwardRequest } from '../dist/src/protocols/forward/pb/forward.js'
import { Hello } from '../dist/src/protocols/hello/pb/hello.js'
import { LookupAnswer, LookupRequest } from '../dist/src/protocols/lookup/pb/lookup.js'
import { dialFailures, outcomes } from '../dist/src/protocols/probe/descriptor.js'
import { ProbeAnswer, ProbeRequest } from '../dist/src/protocols/probe/pb/probe.js'
import { SessionFrame } from '../dist/src/protocols/register/pb/register.js'
import { SyncFrame, SyncRequest } from '../dist/src/protocols/sync/pb/sync.js'
import { states } from '../dist/src/registry/liveness/liveness.js'
import { encodeBody, entryKinds, openEntry } from '../dist/src/registry/objects/entry.js'
import { sealOrder } from '../dist/src/registry/objects/orders/order.js'

const codecs = {
  AdminAnswer,
  AdminRequest,
  BlockAnswer,
  BlocksRequest,
  ForwardAnswer,
  ForwardRequest,
  Hello,
  LookupAnswer,
  LookupRequest,
  ProbeAnswer,
  ProbeRequest,
  SessionFrame,
  SyncFrame,
  SyncRequest
}
const folder = new URL('../test/fixtures/vectors/', import.meta.url)
const read = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'))
const unhex = (text) => Uint8Array.from(Buffer.from(text.slice('hex:'.length), 'hex'))
const { networkId: networkText } = read('log-entry')
const networkId = unhex(networkText)
const object = (file, name) => {
  const found = [...read(file).good, ...read(file).bad].find((each) => each.name === name)
  if (found === undefined) throw new Error(`${file}.json has no '${name}'`)
  return unhex(found.envelope)
}
const first = (file) => unhex(read(file).good[0].envelope)
const ofKind = (kind) => {
  const found = read('log-entry').good.find(({ value }) => value.kind === kind)
  if (found === undefined) throw new Error(`no entry of kind ${kind}`)
  return unhex(found.envelope)
}

const toJson = (value) =>
  JSON.stringify(
    value,
    (_, each) => (each instanceof Uint8Array ? `hex:${Buffer.from(each).toString('hex')}` : each),
    2
  )

const varint = (number) => (number < 0x80 ? [number] : [(number & 0x7f) | 0x80, ...varint(number >> 7)])

const said = (from) => (message, value) => {
  const bytes = codecs[message].encode(value)
  return { from, message, value, frame: Uint8Array.from([...varint(bytes.length), ...bytes]) }
}
const client = said('client')
const server = said('server')

const hello = '/trustnet/hello/1.0.0'
const register = '/trustnet/register/1.0.0'
const sync = '/trustnet/sync/1.0.0'
const lookup = '/trustnet/lookup/1.0.0'
const probe = '/trustnet/probe/1.0.0'
const admin = '/trustnet/admin/1.0.0'
const blocks = '/trustnet/blocks/1.0.0'
const forward = '/trustnet/forward/1.0.0'

const genesis = first('genesis')
const checkpoint = first('checkpoint')
const record = first('node-record')
const badRecord = object('node-record', 'a flipped bit in the payload')
const admit = ofKind('admit')
const rotated = ofKind('rotate')
const setEntry = ofKind('registrySet')
const renewal = ofKind('renew')
const request = first('renew')
const key = (fill) => new Uint8Array(32).fill(fill)
const [member, registry] = read('keys').good.map(({ publicKey }) => unhex(publicKey))
const addr = encodeAddr('/ip6/2001:db8::1/tcp/9000')
const store = key(7).slice(0, 16)
const block = new TextEncoder().encode('bytes that are named by their digest')
const named = (bytes) => Uint8Array.from(createHash('sha256').update(bytes).digest())

const asked = { version: 1, networkId }
const hint = (state, count) => ({
  publicKey: member,
  source: registry,
  heardMs: 1_000,
  state,
  sinceMs: 5_000,
  reason: 'stream lost',
  rttMs: 3,
  seq: 4,
  start: 1_790_000_000_000,
  count
})
const pulls = (more = {}) => client('SyncRequest', { ...asked, records: true, ...more })
const start = (value) => server('SyncFrame', { start: value })
const frame = (value) => server('SyncFrame', value)
const refusal = (id, name) => server('SessionFrame', { id, answer: { status: statuses[name] } })
const session = (value) => client('SessionFrame', value)

const ordered = object('log-entry', 'a revocation that an operator ordered')
const orderedTwice = object('log-entry', 'a revocation that two operators ordered')
/** The act of the operator whose order stands at this place in an entry. */
const actIn = (envelope, place) => {
  const { value } = openEntry(envelope, networkId)
  return { kind: entryKinds[value.kind], body: encodeBody(value).body, order: value.orders[place] }
}
const act = actIn(ordered, 0)
const secondAct = actIn(orderedTwice, 1)
const join = object('join', 'without an invite')
const approval = { kind: entryKinds.admit, body: join, order: object('order', 'for an admission') }
const joinHash = unhex(read('join').good.find(({ name }) => name === 'without an invite').hash)
const operator = SigningKey.fromSeed(unhex(read('order').good[0].seed))
const question = (value) => ({ value, bytes: AdminQuestion.encode(value) })
const asksWhatWaits = question({ what: questions.waiting })
const turnsAway = question({ what: questions.reject, join: joinHash, reason: 'nobody knows it' })
const withdrawn = question({ what: questions.withdraw, join: Uint8Array.from([0x3f, 0xa2, 0xb1, 0xc0, 0x9d, 0x8e]) })
/** An order over a question, of the nonce that this byte fills. */
const overQuestion = ({ bytes }, fill) =>
  sealOrder(
    {
      networkId,
      kind: 0,
      digest: Uint8Array.from(createHash('sha256').update(bytes).digest()),
      epoch: 0,
      seenN: 7,
      timeMs: 1_790_000_000_000,
      nonce: key(fill).slice(0, 16)
    },
    operator
  ).bytes
const orders = (value) => client('AdminRequest', { ...asked, ...value })
const told = (value) => server('AdminAnswer', { version: 1, ...value })

const cases = [
  {
    name: 'hints have a number for each state; one of a newer version is ignored',
    protocol: sync,
    frames: [
      pulls({ subscribe: true }),
      start({}),
      frame({ hints: [...Object.values(states), 9].map((state, at) => hint(state, at + 1)) })
    ],
    outcome: 'goes on',
    taken: { hints: Object.keys(states) }
  },
  {
    name: 'a snapshot: start comes alone, the checkpoint in the next frame, before any entry',
    protocol: sync,
    frames: [
      pulls(),
      start({ mode: 1 }),
      frame({ checkpoint, delegations: [ofKind('delegate')] }),
      frame({ entries: [genesis, admit] }),
      frame({ records: [record], cursor: { store, change: 1 } }),
      frame({ caughtUp: true })
    ],
    outcome: 'ends'
  },
  {
    name: 'a sync that does not begin with its start',
    protocol: sync,
    frames: [pulls(), frame({ checkpoint, entries: [admit] })],
    outcome: 'is given up by the client'
  },
  {
    name: 'a record of a key that is no member here is skipped',
    protocol: sync,
    frames: [pulls({ subscribe: true }), start({}), frame({ records: [record], cursor: { store, change: 1 } })],
    outcome: 'goes on'
  },
  {
    name: 'a record that is wrong by itself',
    protocol: sync,
    frames: [pulls({ subscribe: true }), start({}), frame({ records: [badRecord], cursor: { store, change: 1 } })],
    outcome: 'is given up by the client'
  },
  {
    name: 'a row of lookup with a record that is wrong by itself: nothing of the answer is used',
    protocol: lookup,
    frames: [
      client('LookupRequest', asked),
      server('LookupAnswer', {
        rows: [{ publicKey: member, name: 'hal', record: badRecord, admit, state: 1, role: 3 }]
      })
    ],
    outcome: 'is given up by the client'
  },
  {
    name: 'lookup by a stranger is answered NOT_MEMBER',
    protocol: lookup,
    frames: [client('LookupRequest', asked), server('LookupAnswer', { status: statuses.NOT_MEMBER })],
    outcome: 'ends'
  },
  {
    name: 'a registry has an address of a member dialled, where nobody listens',
    protocol: probe,
    frames: [
      client('ProbeRequest', { ...asked, addr, target: member }),
      server('ProbeAnswer', { outcome: outcomes.failed, failure: dialFailures.refused, tookMs: 3 })
    ],
    outcome: 'is answered'
  },
  {
    name: 'what members said of the addresses of one',
    protocol: probe,
    frames: [
      client('ProbeRequest', { ...asked, target: member }),
      server('ProbeAnswer', {
        outcome: outcomes.reached,
        members: [
          {
            publicKey: member,
            addrs: [{ addr, words: [{ prober: registry, outcome: outcomes.reached, agoMs: 60_000, tookMs: 12 }] }]
          }
        ]
      })
    ],
    outcome: 'is answered'
  },
  {
    name: 'sync by a stranger is answered NOT_MEMBER',
    protocol: sync,
    frames: [pulls(), start({ status: statuses.NOT_MEMBER })],
    outcome: 'ends'
  },
  {
    name: 'hello after a rotation: the rotate entry stands in admit, with the newest renewal behind it and the registry-set entry',
    protocol: hello,
    frames: [
      client('Hello', {
        ...asked,
        genesis,
        checkpoint,
        admit: rotated,
        renew: renewal,
        registrySet: setEntry,
        role: 2,
        software: 'trustnet/1',
        timeMs: 1_790_000_000_000
      })
    ],
    outcome: 'is answered'
  },
  {
    name: 'hello without a network id is answered with the genesis and the proof of the listener, and NOT_MEMBER',
    protocol: hello,
    frames: [
      client('Hello', { version: 1, role: 3, software: 'joiner' }),
      server('Hello', {
        ...asked,
        genesis,
        checkpoint,
        admit,
        role: 1,
        software: 'trustnet/1',
        status: statuses.NOT_MEMBER
      })
    ],
    outcome: 'ends'
  },
  {
    name: 'hello of another network is answered with network id and WRONG_NETWORK alone',
    protocol: hello,
    frames: [
      client('Hello', { version: 1, networkId: key(0x77), role: 3 }),
      server('Hello', { ...asked, status: statuses.WRONG_NETWORK })
    ],
    outcome: 'ends'
  },
  {
    name: 'hello of a revoked key is answered with network id and REVOKED alone',
    protocol: hello,
    frames: [
      client('Hello', { ...asked, genesis, admit, role: 3 }),
      server('Hello', { ...asked, status: statuses.REVOKED })
    ],
    outcome: 'ends'
  },
  {
    name: 'a renewal that is too early is answered OK with the entry that says the present end, here the admit entry',
    protocol: register,
    frames: [session({ id: 2, renew: { request } }), server('SessionFrame', { id: 2, answer: { entry: admit } })],
    outcome: 'goes on'
  },
  {
    name: 'a renewal is answered OK with the renew entry',
    protocol: register,
    frames: [session({ id: 2, renew: { request } }), server('SessionFrame', { id: 2, answer: { entry: renewal } })],
    outcome: 'goes on'
  },
  {
    name: 'a record of no member, put by a registry, is answered NOT_MEMBER before the client gives up',
    protocol: register,
    frames: [session({ id: 3, put: { record } }), refusal(3, 'NOT_MEMBER')],
    outcome: 'goes on',
    withinMs: limits.register.applyMs,
    clientWaitsMs: limits.register.requestMs
  },
  {
    name: 'a record of another member, put by an integrated member, is answered OK: every role but external serves a registry',
    protocol: register,
    frames: [session({ id: 4, put: { record } }), server('SessionFrame', { id: 4, answer: {} })],
    outcome: 'goes on'
  },
  {
    name: 'a heartbeat on a stream without a lease is answered NOT_MEMBER',
    protocol: register,
    frames: [session({ id: 1, heartbeat: {} }), refusal(1, 'NOT_MEMBER')],
    outcome: 'goes on'
  },
  {
    name: 'a join at a root whose log has two histories is answered UNAVAILABLE',
    protocol: register,
    frames: [
      session({ id: 1, register: { record, join: first('join'), instance: store } }),
      server('SessionFrame', { id: 1, registered: { status: statuses.UNAVAILABLE, retryAfterMs: 5_000 } })
    ],
    outcome: 'goes on'
  },
  {
    name: 'an order of an operator is answered with the entry that has it',
    protocol: admin,
    frames: [orders({ acts: [act] }), told({ entries: [ordered] })],
    outcome: 'is answered'
  },
  {
    name: 'an order that needs another one waits for it, and the order of a second operator completes it',
    protocol: admin,
    frames: [orders({ acts: [act] }), told({ status: statuses.SECOND_OPERATOR })],
    outcome: 'is answered'
  },
  {
    name: 'the order of the second operator is answered with the entry that has both',
    protocol: admin,
    frames: [orders({ acts: [secondAct] }), told({ entries: [orderedTwice] })],
    outcome: 'is answered'
  },
  {
    name: 'an approval has the join as its body, and is forwarded by a registry',
    protocol: admin,
    frames: [
      orders({ acts: [approval], forwarded: true }),
      told({ entries: [object('log-entry', 'an admission that an operator ordered')] })
    ],
    outcome: 'is answered'
  },
  {
    name: 'a forwarded order at a registry that is not the root is answered NOT_ROOT',
    protocol: admin,
    frames: [orders({ acts: [act], forwarded: true }), told({ status: statuses.NOT_ROOT })],
    outcome: 'is answered'
  },
  {
    name: 'an order while the root is away is answered UNAVAILABLE, and kept nowhere',
    protocol: admin,
    frames: [orders({ acts: [act] }), told({ status: statuses.UNAVAILABLE, retryAfterMs: 5_000 })],
    outcome: 'is answered'
  },
  {
    name: 'a question: what waits, acts with the first order and joins without an id',
    protocol: admin,
    frames: [
      orders({ question: asksWhatWaits.bytes, order: overQuestion(asksWhatWaits, 0x61) }),
      told({
        waiting: [
          { id: '0f0f0f0f0f0f', sinceMs: 1_790_000_000_000, acts: [act] },
          { sinceMs: 1_790_000_000_000, acts: [{ kind: entryKinds.admit, body: join }] }
        ]
      })
    ],
    outcome: 'is answered'
  },
  {
    name: 'a question: a join is turned away',
    protocol: admin,
    frames: [orders({ question: turnsAway.bytes, order: overQuestion(turnsAway, 0x62) }), told({})],
    outcome: 'is answered'
  },
  {
    name: 'a question: what waits for a second operator is taken back',
    protocol: admin,
    frames: [orders({ question: withdrawn.bytes, order: overQuestion(withdrawn, 0x63) }), told({})],
    outcome: 'is answered'
  },
  {
    name: 'a request for blocks: one answer for each digest, in any order; one that is not stored is absent, one without bytes is not',
    protocol: blocks,
    frames: [
      client('BlocksRequest', { version: 1, networkId, digests: [named(block), named(new Uint8Array()), key(9)] }),
      server('BlockAnswer', { digest: key(9), absent: true }),
      server('BlockAnswer', { digest: named(block), bytes: block }),
      server('BlockAnswer', { digest: named(new Uint8Array()) })
    ],
    outcome: 'goes on'
  },
  {
    name: 'bytes that are not those of the digest: the source is not asked again for an hour',
    protocol: blocks,
    frames: [
      client('BlocksRequest', { version: 1, networkId, digests: [named(block)] }),
      server('BlockAnswer', { digest: named(block), bytes: Uint8Array.of(1) })
    ],
    outcome: 'is given up by the client'
  },
  {
    name: 'a request for no block is answered MALFORMED',
    protocol: blocks,
    frames: [client('BlocksRequest', { version: 1, networkId }), server('BlockAnswer', { status: statuses.MALFORMED })],
    outcome: 'ends'
  },
  {
    name: 'a request for blocks by a stranger is answered NOT_MEMBER',
    protocol: blocks,
    frames: [
      client('BlocksRequest', { version: 1, networkId, digests: [named(block)] }),
      server('BlockAnswer', { status: statuses.NOT_MEMBER })
    ],
    outcome: 'ends'
  },
  {
    name: 'a call of an exposed service: bytes follow that are no frames',
    protocol: forward,
    frames: [
      client('ForwardRequest', { version: 1, networkId, service: 'ssh' }),
      server('ForwardAnswer', { version: 1, status: statuses.OK })
    ],
    outcome: 'goes on'
  },
  {
    name: 'a call that no rule of the policy allows, also of a service that is not there',
    protocol: forward,
    frames: [
      client('ForwardRequest', { version: 1, networkId, service: 'postgres' }),
      server('ForwardAnswer', { version: 1, status: statuses.NOT_ALLOWED, policyEntry: 17 })
    ],
    outcome: 'ends'
  },
  {
    name: 'a call of a service that is not exposed',
    protocol: forward,
    frames: [
      client('ForwardRequest', { version: 1, networkId, service: 'http' }),
      server('ForwardAnswer', { version: 1, status: statuses.NOT_EXPOSED })
    ],
    outcome: 'ends'
  }
]

const messageId = (data) => Uint8Array.from(createHash('sha256').update(data).digest().subarray(0, 20))
const announced = Uint8Array.from([1, ...record])
const { unfinished, unfinishedPerPrefix, unfinishedPerMemberPrefix, memberUpgradeTimeoutMs, upgradeTimeoutMs } = (
  await import('../dist/src/node/config/defaults.js')
).defaults.limits

writeFileSync(
  new URL('exchanges.json', folder),
  `${toJson({
    networkId,
    cases,
    questions: [
      { name: 'what waits', ...asksWhatWaits },
      { name: 'turn a join away', ...turnsAway },
      { name: 'take back what waits for a second operator', ...withdrawn }
    ],
    gossip: {
      protocol: '/meshsub/1.2.0',
      topic: `/trustnet/${read('identity')[0].networkIdText}/announce/1`,
      messages: [
        { name: 'a node record', data: announced, id: messageId(announced) },
        {
          name: 'a checkpoint',
          data: Uint8Array.from([2, ...checkpoint]),
          id: messageId(Uint8Array.from([2, ...checkpoint]))
        }
      ]
    },
    waits: {
      helloMs: limits.hello.deadlineMs,
      strangerMs: limits.strangers.ms,
      handshakeMs: upgradeTimeoutMs
    },
    handshakes: {
      unfinished,
      ofPrefix: unfinishedPerPrefix,
      ofKnownPrefix: unfinishedPerMemberPrefix,
      memberMs: memberUpgradeTimeoutMs
    }
  })}\n`
)
