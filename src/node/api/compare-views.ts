import { z } from 'zod'
import { ageOrNull, answer, type Body, peerRef, role, state, text, textOrNull, whole, wholeOrNull } from './parts.ts'

// The JSON answer about whose view differs from whose.

const side = z.object({
  source: peerRef,
  member: z.boolean().describe('false: it does not know this member'),
  role: role.nullable(),
  state: state.nullable(),
  seenAgeMs: ageOrNull('the member was last heard, as this source knows'),
  seq: wholeOrNull.describe('of the record that it holds; null: none'),
  addresses: z.array(text)
})

export const compareView = answer('compare', 'trustnet peers --compare --json', {
  sources: z.array(
    peerRef.extend({
      self: z.boolean(),
      members: wholeOrNull.describe('that it knows; null: it did not answer'),
      ageMs: ageOrNull('newest checkpoint that it has'),
      error: textOrNull.describe('why it is left out of the comparison')
    })
  ),
  compared: whole.describe('members that any of them knows'),
  rows: z
    .array(
      z.object({
        ...peerRef.shape,
        differs: z.array(z.enum(['member', 'role', 'state', 'record'])),
        sides: z.array(side).describe('in the order of the sources that answered')
      })
    )
    .describe('members about whom they differ, by name')
})

export type CompareView = Body<typeof compareView>
