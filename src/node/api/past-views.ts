import { z } from 'zod'
import { answer, type Body, count, peerRef, role, text, time, whole } from './parts.ts'
import { policyView } from './policy-views.ts'

// Answers about the network as the log says that it was.

const place = z.object({ n: whole.describe('entry'), epoch: whole, timeMs: time('that entry was signed') })

const pastMember = peerRef.extend({
  role,
  groups: z.array(text),
  expiresMs: time('ends'),
  expired: z.boolean().describe('it had ended by then'),
  entry: whole.describe('of the log, which made it a member')
})

const registryRow = peerRef.extend({ role })
const operator = z.object({ name: text, keyId: text })

export const pastView = answer('registry-at', 'trustnet registry at --json', {
  at: place,
  floor: whole.describe('the past is held from this entry on; 0: all of it'),
  members: z.array(pastMember).describe('by name'),
  registries: z.array(registryRow),
  operators: z.array(operator),
  revoked: whole.describe('keys that were shut out'),
  policyEntry: whole.describe('of the log; 0: the genesis'),
  policy: policyView.shape.policy
})

const changed = z.object({ field: text, before: z.unknown(), after: z.unknown() })

export const logDiffView = answer('registry-log-diff', 'trustnet registry diff v120 v131 --json', {
  from: place,
  to: place,
  entries: whole.describe('between them'),
  missing: whole.describe('of those, dropped by compaction: the answer does not need them'),
  added: z.array(pastMember),
  removed: z.array(pastMember),
  changed: z
    .array(peerRef.extend({ changes: z.array(changed) }))
    .describe('members, under the name that they have after it'),
  registries: z
    .array(z.object({ ...peerRef.shape, before: role.nullable(), after: role.nullable() }))
    .describe('null: it is none'),
  operators: z.array(operator.extend({ added: z.boolean() })),
  revoked: z.array(peerRef).describe('keys that are shut out since'),
  policy: z.array(changed)
})

export type PastView = Body<typeof pastView>
export type LogDiffView = Body<typeof logDiffView>

/** Input of `registryAt`. */
export const placeInput = {
  n: count.optional(),
  timeMs: count.describe('ms since 1970').optional()
}

/** Input of `logDiff`. */
export const diffInput = {
  fromN: count.optional(),
  fromMs: count.describe('in place of fromN: a time, ms since 1970').optional(),
  toN: count.describe('default: the head').optional(),
  toMs: count.optional()
}
