import type { Attack } from '../attack.ts'
import { oversizedFrames, tinyFrames, truncatedFrames } from './frames.ts'
import {
  gossipForged,
  gossipFutureHeads,
  gossipInvalid,
  gossipOversized,
  gossipReplayed,
  gossipValid
} from './gossip.ts'
import { slowReaders } from './readers.ts'
import { poisonRecords } from './records.ts'
import { reflection } from './reflection.ts'
import { manyConnections, silentStreams, streamFlood } from './streams.ts'

export const attacks = {
  'stream flood': streamFlood,
  'silent streams': silentStreams,
  'many connections': manyConnections,
  'oversized frames': oversizedFrames,
  'tiny frames': tinyFrames,
  'truncated frames': truncatedFrames,
  'gossip, valid': gossipValid,
  'gossip, forged': gossipForged,
  'gossip, invalid': gossipInvalid,
  'gossip, oversized': gossipOversized,
  'gossip, replayed': gossipReplayed,
  'gossip, future heads': gossipFutureHeads,
  'slow readers': slowReaders,
  'record poisoning': poisonRecords,
  reflection
} satisfies Record<string, Attack>

export type AttackName = keyof typeof attacks
