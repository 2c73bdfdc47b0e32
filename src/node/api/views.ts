import { z } from 'zod'
import { wayTo } from './matrix-views.ts'
import {
  ageOrNull,
  answer,
  type Body,
  count,
  maintenance,
  network,
  numberOrNull,
  ownAnswer,
  part,
  peer,
  peerRef,
  peerRow,
  phase,
  pinholes,
  reach,
  role,
  rttUs,
  self,
  state,
  survival,
  sync,
  text,
  textOrNull,
  time,
  timeOrNull,
  warning,
  whole,
  wholeOrNull
} from './parts.ts'
import { phases, statusWords } from './words.ts'

export type {
  NetworkRef,
  PeerRef,
  PeerRow,
  PeerSource,
  PeerState,
  Phase,
  Survival,
  ViewOrigin,
  Warning
} from './parts.ts'

// The JSON answers about this process and its peers, as the control socket and `--json` give them.

export const peersView = answer('peers', 'trustnet peers --json', {
  self,
  network: network.nullable(),
  counts: z.record(state, whole).describe('of all members, before any filter'),
  total: whole,
  peers: z.array(peerRow)
})

export const lookupView = answer('lookup', 'trustnet lookup --json', {
  rows: z.array(peerRow),
  next: textOrNull.describe('`after` of the next page; null at the end')
})

const membership = z.object({
  state: z.enum(['none', 'pending', 'member', 'expired', 'revoked', 'left']),
  expiresMs: timeOrNull('ends'),
  renewsMs: timeOrNull('is renewed'),
  message: textOrNull
})

const lease = z.object({
  lease: peerRef.nullable().describe('the registry that holds the lease; null: none, see message'),
  sinceMs: timeOrNull('since'),
  expiresMs: timeOrNull('lease ends'),
  rttUs,
  lastHeartbeatAgeMs: ageOrNull('last heartbeat'),
  known: whole.describe('registries in the log'),
  connected: whole.describe('of those'),
  message: textOrNull
})

const dns = z.object({
  name: text,
  state: z.enum(['found', 'none', 'no-domain', 'servfail', 'refused', 'timeout', 'bad-answer', 'not-asked']),
  addresses: z.array(text),
  checkedMs: timeOrNull('asked'),
  ttlSeconds: numberOrNull,
  port: whole.describe('dialled after an AAAA answer'),
  resolvers: z.array(text).describe('of the configuration; none: those of the system are asked'),
  message: textOrNull
})

/** Number of times that others went beyond a limit, and who did lately. */
const limit = z.object({
  limit: text.describe('place in the table of limits'),
  count: whole,
  culprits: z
    .array(
      z.object({
        who: text.describe('PeerId, or an address that has proved no key'),
        name: textOrNull,
        count: whole,
        lastMs: whole.describe('ms since 1970')
      })
    )
    .describe('the latest first')
})

/** `GET /forwards` has each of them. */
const forwardsInShort = z.object({
  exposed: whole.describe('services of this node that members may call'),
  listeners: whole.describe('addresses of this machine at which services of others are reached'),
  in: whole.describe('uses of services of this node by members, now'),
  out: whole.describe('uses of services of members from here, now'),
  most: z
    .array(z.object({ ...peerRef.shape, service: text, direction: z.enum(['in', 'out']), count: whole.min(1) }))
    .describe('members and services that have most of them')
})

const relay = z.object({
  relays: z.array(peerRef).describe('members through which this node is reached, the best first'),
  trouble: text.nullable().describe('why nobody relays for this node, though nobody can dial it'),
  serves: z
    .object({
      reservations: whole.describe('members that are reached through this node'),
      circuits: whole.describe('connections that go through it now'),
      bytes: whole.describe('passed on since the start'),
      refused: whole.describe('reservations and circuits that were refused since the start'),
      lastRefusal: text.nullable().describe('why the last one was')
    })
    .nullable()
    .describe('null: this node does not relay')
})

export const statusView = answer('status', 'trustnet status --json', {
  word: z.enum(statusWords),
  summary: text.describe('one sentence behind the word'),
  self: self.extend({ pid: whole, startedMs: time('started'), configFile: textOrNull, dataFolder: text }),
  network: network.nullable(),
  phase: z.object({
    name: phase,
    number: whole.min(0).max(phases.length - 1),
    sinceMs: time('since'),
    missing: z.array(text).describe('for the next phase'),
    reachedAfterMs: z.record(phase, wholeOrNull).describe('From the start of the process; null: not reached yet.')
  }),
  membership,
  registry: lease,
  sync,
  dns,
  resilience: z.object({ root: survival, dns: survival, both: survival }),
  connections: z.object({ members: whole, strangers: whole, inbound: whole, outbound: whole }),
  limits: z.array(limit).describe('limits that others exceeded since the start, most often first'),
  http: textOrNull.describe('address of the HTTP API and of the page; null: it is off, or does not listen'),
  names: textOrNull.describe('address at which names of members are answered; null: it is off, or does not listen'),
  link: z
    .object({
      interfaces: z.array(text).describe('on whose links members are looked for; none: the port is not open'),
      hints: whole.describe('addresses where somebody of this network may be, as links say'),
      heard: whole.describe('packets of this network since the start'),
      dropped: whole.describe('packets that were too many to be looked at'),
      dialled: whole.describe('dials that packets have caused')
    })
    .nullable()
    .describe('members on the links of this machine; null: it is off'),
  listen: z.array(text),
  announced: z.array(text),
  maintenance,
  forwards: forwardsInShort,
  reach,
  relay,
  pinholes,
  parts: z.array(part).describe('each service of this process'),
  warnings: z.array(warning)
})

export const identityView = answer('identity', 'trustnet identity --json, of a running process', {
  ...self.shape,
  publicKeyHex: text.regex(/^[0-9a-f]{64}$/),
  keyFile: text,
  network: network.nullable(),
  multiaddrs: z.array(text).describe('with /p2p, ready for `peers connect` or `--peer`')
})

export const rotateIdentityView = answer('identity-rotate', 'trustnet identity rotate --json', {
  ...peerRef.shape,
  newPeerId: peerRef.shape.peerId.nullable().describe('PeerId of the new key; null: a plan'),
  entry: whole.nullable().describe('the entry of the log that says so; null: a plan, or it waits for the root'),
  message: text
})

export const reloadView = answer('reload', 'trustnet reload --json', {
  changed: z.array(text).describe('keys whose new values are in force'),
  restart: z.array(text).describe('keys that are different, and count from the next start on'),
  message: text
})

export const addressView = answer('address', 'trustnet address --json', {
  ...peerRef.shape,
  address: text.describe("the member's /128 in the network's /48"),
  prefix: text
})

export const changeView = answer(
  'change',
  'trustnet registry approve|reject|retire, member rename|role|groups|end, revoke, leave --json',
  {
    ...peerRef.shape,
    entry: wholeOrNull.describe(
      'number of the log entry that it became; null: none was needed, or it waits for the root'
    ),
    message: text
  }
)

export const membersView = answer('members', 'trustnet member list --json', {
  members: z.array(
    z.object({
      ...peerRef.shape,
      role,
      groups: z.array(text),
      ephemeralMs: wholeOrNull.describe('the membership ends after so long offline; null: it does not'),
      expiresMs: time('ends'),
      entry: whole.describe('of the log, which made it a member')
    })
  )
})

export const connectView = answer('connect', 'trustnet peers connect --json', {
  ...peerRef.shape,
  address: text,
  direction: z.enum(['in', 'out']),
  member: z.boolean().describe('the other proved that it is one'),
  rttUs
})

export const disconnectView = answer('disconnect', 'trustnet peers disconnect --json', {
  ...peerRef.shape,
  closed: whole
})

export const whyView = answer('why', 'trustnet why --json', {
  ...peerRef.shape,
  summary: text.describe('one sentence: what it is and why'),
  checks: z
    .array(z.object({ what: text, ok: z.boolean().nullable(), detail: text }))
    .describe('in the order in which they were checked; ok null: could not be checked'),
  addresses: z.array(wayTo).describe('of its record, and the one that answered last'),
  retry: z
    .object({ failures: whole.describe('in a row'), atMs: time('not before') })
    .nullable()
    .describe('when this node dials it again; null: nothing failed'),
  record: z
    .object({
      way: text.describe('self, session, sync, gossip, dht or registry'),
      from: peerRef.nullable(),
      atMs: time('when')
    })
    .nullable()
    .describe('how its newest record came to this process; null: it was in the store before'),
  next: textOrNull.describe('the next command or step; null: all is well')
})

export const acknowledgeView = answer('acknowledge', 'trustnet status --acknowledge --json', {
  code: text,
  message: text
})

export const joinView = answer('join', 'trustnet join --json, handed to a running process', {
  state: z.enum(['admitted', 'pending', 'trying']),
  network: z.object({ id: text, domain: text }),
  message: text
})

/** An event. It is sent when something changed that a view shows; who wants the new state asks for the view again. */
export const controlEvent = z.discriminatedUnion('type', [
  z.object({ schema: z.literal(1), type: z.literal('peer'), peerId: text, state }),
  z.object({ schema: z.literal(1), type: z.literal('status'), word: z.enum(statusWords), phase }),
  z.object({ schema: z.literal(1), type: z.literal('head'), epoch: whole, head: whole }),
  z.object({ schema: z.literal(1), type: z.literal('pending'), peerId: text })
])

export const errorView = ownAnswer(
  'error',
  'last line of stderr of a command with --json that fails, and what the control socket refuses',
  {
    error: z.object({
      code: text.describe('for programs: NOT_FOUND'),
      name: text.optional().describe('of the error in the process'),
      message: text
    })
  }
)

export type ControlEvent = z.infer<typeof controlEvent>
export type PeersView = Body<typeof peersView>
export type LookupView = Body<typeof lookupView>
export type StatusView = Body<typeof statusView>
export type StatusWord = StatusView['word']
export type LimitView = z.infer<typeof limit>
export type IdentityView = Body<typeof identityView>
export type RotateIdentityView = Body<typeof rotateIdentityView>
export type ReloadView = Body<typeof reloadView>
export type AddressView = Body<typeof addressView>
export type ChangeView = Body<typeof changeView>
export type MembersView = Body<typeof membersView>
export type ConnectView = Body<typeof connectView>
export type DisconnectView = Body<typeof disconnectView>
export type WhyView = Body<typeof whyView>
export type AckView = Body<typeof acknowledgeView>
export type JoinView = Body<typeof joinView>

/** Input of `lookup`. */
export const lookupInput = {
  peer: peer.optional(),
  role: role.optional(),
  service: z.string().max(64).optional(),
  tag: z.string().max(64).describe('of that service').optional(),
  healthy: z.boolean().describe('only where that service may be called now').optional(),
  state: state.optional(),
  after: z.string().max(256).optional(),
  limit: count.max(500).describe('rows of a page; default 100').optional(),
  remote: z.boolean().describe('ask the registry that holds the lease, over the wire').optional()
}
