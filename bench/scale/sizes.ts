import { randomBytes } from 'node:crypto'
import { RPC } from '@libp2p/gossipsub/message'
import { SigningKey } from '../../src/identity/keys.ts'
import { announceTopic } from '../../src/protocols/announce/index.ts'
import { encodeAnnouncement } from '../../src/protocols/announce/message.ts'
import { SessionFrame } from '../../src/protocols/register/pb/register.ts'
import { toHintMessage } from '../../src/protocols/sync/hint-message.ts'
import { SyncFrame, SyncRequest } from '../../src/protocols/sync/pb/sync.ts'
import { sealCheckpoint } from '../../src/registry/objects/checkpoint.ts'
import { sealEntry } from '../../src/registry/objects/entry.ts'
import { sealRenewRequest } from '../../src/registry/objects/renew-request.ts'
import { admission } from '../harness/members/admission.ts'
import { memberKey, memberRecord } from '../harness/members/members.ts'

/** IPv6 and TCP with timestamps, Noise's length and tag, yamux' header. */
const headerBytes = 40 + 32 + 18 + 12
/** yamux answers each data frame with a window update, a packet of its own. */
export const windowUpdateBytes = headerBytes

/** Bytes on the wire of one frame that travels alone: an upper bound, since frames of one tick share packets. */
export const onWire = (frame: Uint8Array): number => frame.length + 2 + headerBytes

const day = 86_400_000

/** What is sent over and over, made with the code that sends it: bytes on the wire. */
export interface Sizes {
  gossipRecord: number
  gossipHead: number
  /** A frame that tells ids, and each id in it. */
  ihave: number
  ihaveId: number
  /** A sync frame without content, and more bytes for each of these in it. */
  frame: number
  checkpoint: number
  admitEntry: number
  renewEntry: number
  record: number
  hint: number
  digestRequest: number
  cursorRequest: number
  pullAnswer: number
  heartbeat: number
  heartbeatAnswer: number
  ping: number
}

const fieldBytes = 3

export function measureSizes(): Sizes {
  const networkId = Uint8Array.from(randomBytes(32))
  const hash = Uint8Array.from(randomBytes(32))
  const logKey = SigningKey.generate()
  const { publicKey } = memberKey(1)
  const timeMs = Date.now()
  const place = { networkId, n: 123_456, prevHash: hash, epoch: 0, timeMs }
  const [grant, admit] = admission(networkId, 1, 90 * day).map(
    (draft) => sealEntry({ ...place, ...draft }, logKey).bytes.length
  )
  const asked = { networkId, publicKey, notAfterMs: timeMs }
  const request = sealRenewRequest(asked, memberKey(1)).bytes
  const body = { publicKey, notAfterMs: timeMs + 90 * day, request }
  const renew = sealEntry({ ...place, kind: 'renew', body }, logKey).bytes
  const head = { networkId, epoch: 0, n: place.n, headHash: hash, stateRoot: hash, rows: 1e5, bytes: 1e8, timeMs }
  const checkpoint = sealCheckpoint(head, logKey).bytes
  const record = memberRecord(networkId, memberKey(1), timeMs)
  const cursor = { store: hash.subarray(0, 16), change: place.n }
  const hint = toHintMessage({
    publicKey,
    source: publicKey,
    heardMs: 1_000,
    state: 'online',
    sinceMs: 1_000,
    reason: '',
    rttMs: 2,
    connected: [],
    seq: 40,
    start: timeMs,
    count: 100_000
  })
  const start = { status: 0, mode: 0, replicaAgeMs: 1_000, retryAfterMs: 0 }
  const none = new Uint8Array()
  const times = { leaseMs: 90_000, heartbeatMs: 30_000, replicaAgeMs: 1_000 }
  const heartbeatAnswer = { ...times, status: 0, checkpoint: none, contested: false, cosignatures: [] }
  const position = { version: 1, networkId, epoch: 0, n: place.n, hash, subscribe: false, records: true }
  return {
    gossipRecord: gossipBytes(networkId, encodeAnnouncement({ kind: 'record', envelope: record })),
    gossipHead: gossipBytes(networkId, encodeAnnouncement({ kind: 'head', envelope: checkpoint })),
    ihave: ihaveBytes(networkId, 0),
    ihaveId: ihaveBytes(networkId, 1) - ihaveBytes(networkId, 0),
    frame: onWire(new Uint8Array()) + windowUpdateBytes,
    checkpoint: checkpoint.length + fieldBytes,
    // The invite and its use.
    admitEntry: (grant ?? 0) + (admit ?? 0) + 2 * fieldBytes,
    renewEntry: renew.length + fieldBytes,
    record: record.length + fieldBytes,
    hint: SyncFrame.encode({ entries: [], records: [], hints: [hint] }).length,
    digestRequest: onWire(SyncRequest.encode({ ...position, digest: new Uint8Array(32_768) })),
    cursorRequest: onWire(SyncRequest.encode({ ...position, cursor })),
    // Start, caughtUp and cursor, and the packets of opening and closing a stream.
    pullAnswer: onWire(SyncFrame.encode({ start, cursor, caughtUp: true })) + 10 * headerBytes,
    heartbeat: onWire(
      SessionFrame.encode({ id: 1, heartbeat: { checkpoint, cosignatures: [], seq: 7, connected: [], rttMs: 2 } })
    ),
    heartbeatAnswer: onWire(SessionFrame.encode({ id: 1, heartbeatAnswer })),
    ping: onWire(SessionFrame.encode({ id: 1, ping: 10_000 }))
  }
}

function gossipBytes(networkId: Uint8Array, data: Uint8Array): number {
  const message = {
    from: new Uint8Array(38),
    data,
    seqno: new Uint8Array(8),
    topic: announceTopic(networkId),
    signature: new Uint8Array(64),
    key: new Uint8Array(36)
  }
  return onWire(RPC.encode({ messages: [message] })) + windowUpdateBytes
}

function ihaveBytes(networkId: Uint8Array, ids: number): number {
  const ihave = [
    { topicID: announceTopic(networkId), messageIDs: Array.from({ length: ids }, () => new Uint8Array(20)) }
  ]
  return onWire(RPC.encode({ control: { ihave, iwant: [], graft: [], prune: [], idontwant: [] } })) + windowUpdateBytes
}
