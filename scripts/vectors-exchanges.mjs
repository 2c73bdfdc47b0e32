// Makes test/fixtures/vectors/exchanges.json: what is said on a stream, frame by frame, and what becomes of it. The objects in it are those of
// the other vectors. Run after `npm run build`; a second run writes the same.

import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { encodeAddr } from '../dist/src/address/multiaddr.js'
import { defaultLimits as limits } from '../dist/src/protocols/engine/limits.js'
import { statuses } from '../dist/src/protocols/engine/status.js'
import { Hello } from '../dist/src/protocols/hello/pb/hello.js'
import { LookupAnswer, LookupRequest } from '../dist/src/protocols/lookup/pb/lookup.js'
import { dialFailures, outcomes } from '../dist/src/protocols/probe/descriptor.js'
import { ProbeAnswer, ProbeRequest } from '../dist/src/protocols/probe/pb/probe.js'
import { SessionFrame } from '../dist/src/protocols/register/pb/register.js'
import { SyncFrame, SyncRequest } from '../dist/src/protocols/sync/pb/sync.js'
import { states } from '../dist/src/registry/liveness/liveness.js'

const codecs = { Hello, LookupAnswer, LookupRequest, ProbeAnswer, ProbeRequest, SessionFrame, SyncFrame, SyncRequest }
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
