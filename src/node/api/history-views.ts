import { z } from 'zod'
import {
  answer,
  type Body,
  count,
  numberOrNull,
  peer,
  peerRef,
  state,
  text,
  time,
  whole,
  wholeOrNull
} from './parts.ts'
import { happeningTypes } from './words.ts'

// The JSON answers about what was: of the members, and of the log.

const happening = z.object({
  id: whole.describe('ascending; `after` of the next question'),
  atMs: time('when'),
  type: z.enum(happeningTypes),
  member: peerRef.describe('whom it is about; this node for alarm and phase'),
  state: state.nullable().describe('that begins; null: the type is not state'),
  before: state.nullable().describe('the state before; null: not known'),
  source: peerRef.nullable().describe('who says so'),
  reason: text
})

export const historyView = answer('events', 'trustnet events --json', {
  firstId: wholeOrNull.describe('of the oldest that is kept: one who comes back with an id below it has missed some'),
  lastId: wholeOrNull.describe('of the newest, whomever it is about'),
  events: z.array(happening),
  next: wholeOrNull.describe('`after` of the next page; null: nothing newer is there')
})

export const timelineView = answer('timeline', 'trustnet peers --long, and the page', {
  fromMs: time('begin of the first slot'),
  slotMs: whole.describe('length of a slot'),
  members: z.array(
    z.object({
      ...peerRef.shape,
      up: z
        .array(numberOrNull)
        .describe(
          'percent of each slot, the oldest first, in which it was online or late; null: this process did not see it'
        )
    })
  )
})

export type HistoryView = Body<typeof historyView>
export type HappeningRow = z.infer<typeof happening>
export type TimelineView = Body<typeof timelineView>

/** Input of `history`. */
export const historyInput = {
  after: count.describe('id; without it and sinceMs the newest').optional(),
  sinceMs: count.describe('not before, ms since 1970').optional(),
  peer: peer.optional(),
  limit: z.int().min(1).max(1000).describe('default 100').optional()
}

/** Input of `timeline`. */
export const timelineInput = {
  peer: peer.optional(),
  spanMs: z.int().min(60_000).describe('default a day').optional(),
  slots: z.int().min(1).max(96).describe('default 24').optional()
}
