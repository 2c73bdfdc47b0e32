import { z } from 'zod'
import {
  answer,
  type Body,
  groups,
  network,
  peerRef,
  role,
  text,
  textOrNull,
  time,
  whole,
  wholeOrNull
} from './parts.ts'
import { inviteStates } from './words.ts'

// Answers about invites.

export const inviteView = answer('invite', 'trustnet invite --json', {
  line: text.describe('secret: whoever has it can join'),
  id: text,
  role,
  name: textOrNull,
  replaces: textOrNull,
  uses: whole,
  expiresMs: time('ends'),
  network,
  looksLike: z.array(text).describe('names of members that people would take for this one'),
  registries: whole.describe(
    'registries with an address that the line names: while none of them answers nobody joins with it'
  )
})

const listedInvite = z.object({
  id: text,
  state: z
    .enum(inviteStates)
    .describe('open; over: its time has passed; used: its uses are spent; cancelled: it was taken back'),
  reason: textOrNull.describe('of the entry that ended it'),
  role,
  name: textOrNull,
  replaces: textOrNull,
  uses: whole,
  taken: whole.describe('admissions by it'),
  expiresMs: time('ends'),
  note: text,
  groups: z.array(text).describe('of those who join with it'),
  ephemeralMs: wholeOrNull.describe('memberships by it end after so long offline; null: they do not'),
  entry: whole.describe('of the log'),
  members: z.array(peerRef).describe('whom it let in; of an open one those who are members still')
})

export const invitesView = answer('invite-list', 'trustnet invite list --json, and show', {
  invites: z.array(listedInvite)
})

export const inviteEndView = answer('invite-cancel', 'trustnet invite cancel --json', {
  id: text,
  entry: wholeOrNull.describe('of the log; null: it was a plan, or the entry is not here yet'),
  message: text
})

export type InviteView = Body<typeof inviteView>
export type ListedInvite = z.infer<typeof listedInvite>
export type InvitesView = Body<typeof invitesView>
export type InviteEndView = Body<typeof inviteEndView>

/** Input of `invite`. */
export const inviteInput = {
  role: role.optional(),
  name: z.string().max(64).optional(),
  replaces: z.string().max(64).describe('name of the member whose place is taken').optional(),
  uses: z.int().min(1).max(1_000_000).describe('default 1').optional(),
  ttlMs: z.int().min(1000).describe('default 1 h').optional(),
  note: z.string().max(128).describe('for people').optional(),
  groups: groups.optional(),
  ephemeralMs: z.int().min(1000).describe('memberships by it end after so long offline').optional()
}
