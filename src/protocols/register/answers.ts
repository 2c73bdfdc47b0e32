import { statuses } from '../engine/status.ts'
import type { Answer, HeartbeatAnswer, RegisterAnswer } from './pb/register.ts'

/** No bytes: an absent field on the wire. */
export const none: Uint8Array = new Uint8Array()

export const answerOf = (status: number, detail: Partial<Answer> = {}): Answer => ({
  retryAfterMs: 0,
  record: none,
  entry: none,
  ...detail,
  status
})

export const done = (entry: Uint8Array = none): Answer => answerOf(statuses.OK, { entry })

/** An answer to a registration that says no more than its status. */
export const toldOf = (status: number): RegisterAnswer => ({
  status,
  retryAfterMs: 0,
  admit: none,
  leaseMs: 0,
  heartbeatMs: 0,
  peers: [],
  registries: [],
  checkpoint: none,
  observed: none,
  record: none,
  replicaAgeMs: 0
})

export const refusedBeat = (status: number): HeartbeatAnswer => ({
  status,
  leaseMs: 0,
  heartbeatMs: 0,
  checkpoint: none,
  cosignatures: [],
  replicaAgeMs: 0,
  contested: false
})
