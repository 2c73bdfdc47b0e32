import type { Attack } from '../attack.ts'
import { oversizedFrames, tinyFrames, truncatedFrames } from './frames.ts'
import {
  gossipControl,
  gossipForged,
  gossipFutureHeads,
  gossipInvalid,
  gossipOversized,
  gossipReplayed,
  gossipValid
} from './gossip.ts'
import {
  costlyLookups,
  emptyFrames,
  identifyPushes,
  kadMessages,
  kadPeers,
  muxerFrames,
  pingStreams,
  strangerResets
} from './libraries.ts'
import { slowReaders } from './readers.ts'
import { poisonRecords } from './records.ts'
import { reflection } from './reflection.ts'
import { manyConnections, silentStreams, streamFlood } from './streams.ts'
import { severalTogether } from './together.ts'

export const attacks = {
  'stream flood': streamFlood,
  'streams opened and reset by a stranger': strangerResets,
  'frames of the muxer': muxerFrames,
  'empty frames on a stream': emptyFrames,
  'ping streams': pingStreams,
  'kad, messages of all types': kadMessages,
  'identify, pushes': identifyPushes,
  'kad, empty peers': kadPeers,
  'costly lookups': costlyLookups,
  'silent streams': silentStreams,
  'many connections': manyConnections,
  'oversized frames': oversizedFrames,
  'tiny frames': tinyFrames,
  'truncated frames': truncatedFrames,
  'gossip, valid': gossipValid,
  'gossip, control messages': gossipControl,
  'gossip, forged': gossipForged,
  'gossip, invalid': gossipInvalid,
  'gossip, oversized': gossipOversized,
  'gossip, replayed': gossipReplayed,
  'gossip, future heads': gossipFutureHeads,
  'slow readers': slowReaders,
  'record poisoning': poisonRecords,
  'several members together': severalTogether,
  reflection
} satisfies Record<string, Attack>

export type AttackName = keyof typeof attacks
