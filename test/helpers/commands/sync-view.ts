import type { PeerRef, StatusView } from '../../../src/node/api/control-api.ts'

/** The log as a member shows it that has all of it, two of three witnesses having signed the head. */
export const syncView = (now: number, source: PeerRef): StatusView['sync'] => ({
  epoch: 0,
  head: 12,
  headHash: 'ab'.repeat(32),
  checkpointMs: now - 2000,
  ageMs: 2000,
  source,
  members: 4,
  records: 4,
  witnessed: { epoch: 0, head: 12, by: 2, of: 3, needed: 0, afterMs: 400 },
  provisional: null,
  message: null
})
