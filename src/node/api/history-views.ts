import { z } from 'zod'
import { answer, type Body, numberOrNull, peerRef, state, text, time, whole, wholeOrNull } from './parts.ts'
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
