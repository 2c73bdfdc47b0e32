import { z } from 'zod'
import { peerSources, peerStates, phases } from './words.ts'

// Parts that several answers share. The rules of all answers: a field is added with the same schema, anything else needs a new
// one; `null` is "unknown", never 0 and never an absent field; `…Ms` is whole ms, those of a time since 1970, `…AgeMs` how long ago
// that was when the answer was made; `…At` is RFC 3339. A part with an id stands in docs/schemas/common.schema.json.

export const text = z.string()
export const whole = z.int()
export const textOrNull = text.nullable()
export const wholeOrNull = whole.nullable()
export const numberOrNull = z.number().nullable()
/** ms since 1970; `what` says of what. */
export const time = (what: string) => whole.describe(`${what}, ms since 1970`)
export const timeOrNull = (what: string) => wholeOrNull.describe(`${what}, ms since 1970`)
export const ageOrNull = (what: string) => whole.min(0).nullable().describe(`${what}, ms ago`)

export const peerId = text.regex(/^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/).meta({ id: 'peerId' })
export const role = z.enum(['root', 'secondary', 'integrated', 'external']).meta({ id: 'role' })
export const state = z.enum(peerStates).meta({ id: 'state' })
export const source = z.enum(peerSources).meta({ id: 'source' })
export const phase = z.enum(phases).meta({ id: 'phase' })
export const reach = z.enum(['unknown', 'direct', 'outbound']).meta({ id: 'reach' })
export const admission = z.enum(['invite', 'approve', 'open'])

const name = textOrNull.describe('name in the log; null: no member, or not known yet')

export const peerRef = z.object({ peerId, name }).meta({ id: 'peerRef' })

/** The process that answers. */
export const self = peerRef.extend({ role, version: text })

export const network = z
  .object({
    id: text.describe('SHA-256 of the genesis payload as text'),
    name: text,
    domain: text,
    fingerprint: text.describe('for people to compare')
  })
  .meta({ id: 'network' })

export const viewOrigin = peerRef
  .extend({ epoch: whole, head: whole, ageMs: ageOrNull('newest checkpoint or last successful sync') })
  .meta({ id: 'viewOrigin', description: 'Whose view the answer is, and how far behind.' })

/** Fields that every answer begins with; stamp.ts makes them. */
const stamp = {
  schema: z.literal(1),
  generatedAt: z.iso.datetime().describe('when it was made, RFC 3339'),
  view: viewOrigin
}

/** Round trip in µs: one on a local network takes a part of a ms. */
export const rttUs = wholeOrNull.describe('round trip, µs')

/** The schema of an answer, with its file in docs/schemas and the commands that print it. */
export const answer = <T extends z.ZodRawShape>(id: string, commands: string, shape: T) =>
  z.object({ ...stamp, ...shape }).meta({ id, title: commands })

/** The same where no node may have been asked. */
export const ownAnswer = <T extends z.ZodRawShape>(id: string, commands: string, shape: T) =>
  z
    .object({ ...stamp, view: viewOrigin.nullable().describe('null: no node was asked'), ...shape })
    .meta({ id, title: commands })

/** Content of an answer, without what is the same in all of them. */

// Fields of what is asked.

/** A peer is named by its member name, its PeerId, or an unambiguous end of its PeerId of at least 6 characters. */
export const peer = z.string().min(1).max(256)
export const reason = z.string().max(256)
export const count = z.int().min(0)
export const groups = z.array(z.string().max(63)).max(16)
export const plan = z.boolean().describe('say what would happen, and change nothing')

export type Body<T extends z.ZodType> = Omit<z.infer<T>, keyof typeof stamp>

export const warning = z
  .object({
    code: text.describe('fixed word, as in the log line and for `status --acknowledge`'),
    level: z.enum(['warning', 'alarm']),
    message: text,
    fix: textOrNull.describe('the command that fixes it; null: nothing is to be done but wait'),
    sinceMs: timeOrNull('since'),
    acknowledged: z.boolean()
  })
  .meta({ id: 'warning' })

/** One service of the process. */
export const part = z
  .object({
    name: text,
    state: z.enum(['ok', 'failing']),
    sinceMs: time('in this state since'),
    errors: whole.describe('since the start'),
    lastError: textOrNull
  })
  .meta({ id: 'part' })

/** One part of the process, as those who watch over it are told. */
export const partHealth = z
  .object({
    status: z.enum(['ok', 'failing', 'off']).describe('off: not begun yet, or not wanted'),
    sinceMs: time('so since'),
    errors: whole.describe('since the start'),
    lastError: textOrNull
  })
  .meta({ id: 'partHealth' })

export const survival = z
  .object({ survives: z.boolean(), needs: textOrNull.describe('what is missing so that it does') })
  .meta({ id: 'survival' })

export const service = z.object({
  name: text,
  port: whole.describe('on the addresses; 0: a protocol of the node itself'),
  protocol: z.enum(['tcp', 'udp', 'libp2p', 'unknown']),
  tags: z.array(text),
  state: z
    .enum(['unknown', 'passing', 'failing', 'maintenance'])
    .describe('what its own check says; unknown: not checked')
})

export const maintenance = z
  .object({ sinceMs: time('since'), reason: text })
  .nullable()
  .describe('takes no work for a while; null: it does')

/** Knowledge of this process about one member, and of its connection to it. */
export const peerRow = peerRef
  .extend({
    self: z.boolean(),
    role: role.nullable(),
    state,
    stateSinceMs: timeOrNull('in this state since'),
    reason: textOrNull.describe('why, in the words of the source; null: online, or not said'),
    confirmed: z.boolean().describe('false: the source was itself cut off lately'),
    stateSource: peerRef.nullable().describe('the registry that says so'),
    direction: z.enum(['in', 'out', 'both']).nullable().describe('of the live connections; null: not connected'),
    relay: peerRef.nullable().describe('the member through which it is connected; null: directly, or not'),
    rttUs,
    seenAgeMs: ageOrNull('last heard by anybody trusted'),
    uptimePercent: z.number().min(0).max(100).nullable(),
    uptimeWindowMs: wholeOrNull.describe('time over which it was observed, ms'),
    source: source.nullable(),
    version: textOrNull,
    address: textOrNull.describe('the multiaddr in use, else the first of the record; with /p2p, as all are'),
    addresses: z.array(text),
    reach,
    services: z.array(service),
    maintenance,
    tags: z.array(text),
    seq: wholeOrNull,
    registry: peerRef.nullable().describe('holds its lease'),
    membershipExpiresMs: timeOrNull('membership ends'),
    lastError: z.object({ message: text, ageMs: whole.min(0).describe('it happened, ms ago') }).nullable(),
    reputation: numberOrNull,
    streams: wholeOrNull.describe('open over the live connections; null: not connected'),
    bytesIn: wholeOrNull,
    bytesOut: wholeOrNull
  })
  .meta({ id: 'peerRow' })

/** Ports that the router was asked to let others in at. */
export const pinholes = z.array(
  z.object({
    address: text.describe('address and port of this node'),
    router: text,
    state: z
      .enum(['open', 'refused', 'silent'])
      .describe('silent: the router does not speak PCP, as most that filter nothing'),
    message: textOrNull.describe('why it is not open, or was not renewed'),
    expiresMs: wholeOrNull.describe('ms since 1970; null: it is not open')
  })
)

export type PeerRef = z.infer<typeof peerRef>
export type NetworkRef = z.infer<typeof network>
export type PeerState = z.infer<typeof state>
export type PeerSource = z.infer<typeof source>
export type Phase = z.infer<typeof phase>
export type PeerRow = z.infer<typeof peerRow>
export type ViewOrigin = z.infer<typeof viewOrigin>
export type Warning = z.infer<typeof warning>
export type PartHealth = z.infer<typeof partHealth>
export type Survival = z.infer<typeof survival>

const witnessed = z.object({
  epoch: whole,
  head: whole,
  by: whole.describe('witnesses that stand for it'),
  of: whole.describe('witnesses of the network'),
  needed: whole.describe('as the policy asks; 0: none'),
  afterMs: whole.describe('from its signature until the last one that was needed came here')
})

const provisional = z.object({
  final: whole.describe('newest entry for which enough witnesses stand'),
  sinceMs: time('since'),
  graceMs: whole.describe('admissions that are older and not final do not count')
})

export const sync = z.object({
  epoch: wholeOrNull,
  head: wholeOrNull,
  headHash: textOrNull,
  checkpointMs: timeOrNull('newest checkpoint'),
  ageMs: ageOrNull('newest checkpoint or last sync'),
  source: peerRef.nullable(),
  members: whole,
  records: whole,
  witnessed: witnessed.nullable().describe('newest head for which enough witnesses stand; null: there is none'),
  provisional: provisional.nullable().describe('null: all of the log is final'),
  message: textOrNull
})
