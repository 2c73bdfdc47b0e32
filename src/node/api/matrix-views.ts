import { z } from 'zod'
import {
  ageOrNull,
  answer,
  type Body,
  count,
  peerRef,
  reach,
  role,
  state,
  text,
  textOrNull,
  time,
  whole,
  wholeOrNull
} from './parts.ts'
import { dialFailureWords } from './words.ts'

// The JSON answer about who reaches whom.

const failure = z
  .enum(dialFailureWords)
  .nullable()
  .describe('null: it says that it got there, and that the member proved its key')

const word = z.object({
  prober: peerRef.describe('who dialled, and whose word this is'),
  registry: peerRef.describe('who asked it, and tells what it said'),
  failure,
  ageMs: ageOrNull('it said so'),
  tookMs: wholeOrNull.describe('time that the dial took')
})

/** One address of a member: what members say of it, and how this node fared there. */
export const wayTo = z.object({
  address: text,
  words: z.array(word),
  dials: z
    .array(z.object({ atMs: time('it ended'), tookMs: whole, error: textOrNull.describe('null: connected') }))
    .describe('the last ones of this process, the oldest first')
})

const pair = z.object({
  from: peerRef.describe('who dials'),
  to: peerRef,
  reaches: z
    .boolean()
    .nullable()
    .describe('at any of its addresses; null: they are connected, and who dialled is not known'),
  says: peerRef.describe('whose word this is'),
  failure,
  ageMs: ageOrNull('it was said'),
  oneWay: z
    .boolean()
    .describe('the other one says that it gets through, this one that it does not, or the other way round')
})

export const matrixView = answer('matrix', 'trustnet peers --matrix --json', {
  total: whole.describe('members of the network'),
  next: wholeOrNull.describe('`offset` of the next page; null: this is the last one, or no page was asked for'),
  sources: z.array(
    z.object({
      registry: peerRef,
      left: whole.describe('members of whom it knows more than had room in its answer'),
      error: textOrNull.describe('why it did not say')
    })
  ),
  members: z.array(
    z.object({
      ...peerRef.shape,
      role,
      state,
      reach,
      addresses: z.array(z.object({ address: text, words: z.array(word) })).describe('those of its record')
    })
  ),
  pairs: z
    .array(pair)
    .describe('what is known of who reaches whom, between these members; of a page: from its members to anybody')
})

export type MatrixView = Body<typeof matrixView>

/** Input of `matrix`. */
export const matrixInput = {
  limit: z.int().min(1).max(500).describe('members, the worst first where there are more; default 30').optional(),
  offset: count
    .describe('all members page by page, the worst first, from this one on; with the pairs whose `from` is shown')
    .optional()
}
