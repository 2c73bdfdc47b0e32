import { MaxLengthError } from 'protons-runtime'
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc'
import { inside, messageType } from '../../../runtime/message-type.ts'

export interface Cursor {
  store: Uint8Array
  change: number
}

export const Cursor = messageType<Cursor>((obj, w) => {
  if ((obj.store != null && obj.store.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.store)
  }

  if ((obj.change != null && obj.change !== 0)) {
    w.uint32(16)
    w.uint64Number(obj.change)
  }
}, () => ({
  store: uint8ArrayAlloc(0),
  change: 0
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.store = reader.bytes()
      break
    }
    case 2: {
      obj.change = reader.uint64Number()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface SyncRequest {
  version: number
  networkId: Uint8Array
  epoch: number
  n: number
  hash: Uint8Array
  cursor?: Cursor
  digest: Uint8Array
  subscribe: boolean
  records: boolean
  stagedEpoch: number
  stagedN: number
  stagedUpTo: number
  trace?: Uint8Array
}

export const SyncRequest = messageType<SyncRequest>((obj, w) => {
  if ((obj.version != null && obj.version !== 0)) {
    w.uint32(8)
    w.uint32(obj.version)
  }

  if ((obj.networkId != null && obj.networkId.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.networkId)
  }

  if ((obj.epoch != null && obj.epoch !== 0)) {
    w.uint32(24)
    w.uint64Number(obj.epoch)
  }

  if ((obj.n != null && obj.n !== 0)) {
    w.uint32(32)
    w.uint64Number(obj.n)
  }

  if ((obj.hash != null && obj.hash.byteLength > 0)) {
    w.uint32(42)
    w.bytes(obj.hash)
  }

  if (obj.cursor != null) {
    w.uint32(50)
    Cursor.codec().encode(obj.cursor, w)
  }

  if ((obj.digest != null && obj.digest.byteLength > 0)) {
    w.uint32(58)
    w.bytes(obj.digest)
  }

  if ((obj.subscribe != null && obj.subscribe !== false)) {
    w.uint32(64)
    w.bool(obj.subscribe)
  }

  if ((obj.records != null && obj.records !== false)) {
    w.uint32(72)
    w.bool(obj.records)
  }

  if ((obj.stagedEpoch != null && obj.stagedEpoch !== 0)) {
    w.uint32(80)
    w.uint64Number(obj.stagedEpoch)
  }

  if ((obj.stagedN != null && obj.stagedN !== 0)) {
    w.uint32(88)
    w.uint64Number(obj.stagedN)
  }

  if ((obj.stagedUpTo != null && obj.stagedUpTo !== 0)) {
    w.uint32(96)
    w.uint64Number(obj.stagedUpTo)
  }

  if (obj.trace != null) {
    w.uint32(250)
    w.bytes(obj.trace)
  }
}, () => ({
  version: 0,
  networkId: uint8ArrayAlloc(0),
  epoch: 0,
  n: 0,
  hash: uint8ArrayAlloc(0),
  digest: uint8ArrayAlloc(0),
  subscribe: false,
  records: false,
  stagedEpoch: 0,
  stagedN: 0,
  stagedUpTo: 0
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.version = reader.uint32()
      break
    }
    case 2: {
      obj.networkId = reader.bytes()
      break
    }
    case 3: {
      obj.epoch = reader.uint64Number()
      break
    }
    case 4: {
      obj.n = reader.uint64Number()
      break
    }
    case 5: {
      obj.hash = reader.bytes()
      break
    }
    case 6: {
      obj.cursor = Cursor.codec().decode(reader, reader.uint32(), inside(opts.limits?.cursor))
      break
    }
    case 7: {
      obj.digest = reader.bytes()
      break
    }
    case 8: {
      obj.subscribe = reader.bool()
      break
    }
    case 9: {
      obj.records = reader.bool()
      break
    }
    case 10: {
      obj.stagedEpoch = reader.uint64Number()
      break
    }
    case 11: {
      obj.stagedN = reader.uint64Number()
      break
    }
    case 12: {
      obj.stagedUpTo = reader.uint64Number()
      break
    }
    case 31: {
      obj.trace = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface SyncFrame {
  start?: SyncStart
  entries: Uint8Array[]
  checkpoint: Uint8Array
  records: Uint8Array[]
  cursor?: Cursor
  hints: Hint[]
  caughtUp: boolean
  delegations: Uint8Array[]
  cosignatures: Uint8Array[]
  revokes: Uint8Array[]
}

export const SyncFrame = messageType<SyncFrame>((obj, w) => {
  if (obj.start != null) {
    w.uint32(10)
    SyncStart.codec().encode(obj.start, w)
  }

  if (obj.entries != null && obj.entries.length > 0) {
    for (const value of obj.entries) {
      w.uint32(18)
      w.bytes(value)
    }
  }

  if ((obj.checkpoint != null && obj.checkpoint.byteLength > 0)) {
    w.uint32(26)
    w.bytes(obj.checkpoint)
  }

  if (obj.records != null && obj.records.length > 0) {
    for (const value of obj.records) {
      w.uint32(34)
      w.bytes(value)
    }
  }

  if (obj.cursor != null) {
    w.uint32(42)
    Cursor.codec().encode(obj.cursor, w)
  }

  if (obj.hints != null && obj.hints.length > 0) {
    for (const value of obj.hints) {
      w.uint32(50)
      Hint.codec().encode(value, w)
    }
  }

  if ((obj.caughtUp != null && obj.caughtUp !== false)) {
    w.uint32(56)
    w.bool(obj.caughtUp)
  }

  if (obj.delegations != null && obj.delegations.length > 0) {
    for (const value of obj.delegations) {
      w.uint32(74)
      w.bytes(value)
    }
  }

  if (obj.cosignatures != null && obj.cosignatures.length > 0) {
    for (const value of obj.cosignatures) {
      w.uint32(242)
      w.bytes(value)
    }
  }

  if (obj.revokes != null && obj.revokes.length > 0) {
    for (const value of obj.revokes) {
      w.uint32(66)
      w.bytes(value)
    }
  }
}, () => ({
  entries: [],
  checkpoint: uint8ArrayAlloc(0),
  records: [],
  hints: [],
  caughtUp: false,
  delegations: [],
  cosignatures: [],
  revokes: []
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.start = SyncStart.codec().decode(reader, reader.uint32(), inside(opts.limits?.start))
      break
    }
    case 2: {
      if (opts.limits?.entries != null && obj.entries.length === opts.limits.entries) {
        throw new MaxLengthError('Decode error - repeated field "entries" had too many elements')
      }

      obj.entries.push(reader.bytes())
      break
    }
    case 3: {
      obj.checkpoint = reader.bytes()
      break
    }
    case 4: {
      if (opts.limits?.records != null && obj.records.length === opts.limits.records) {
        throw new MaxLengthError('Decode error - repeated field "records" had too many elements')
      }

      obj.records.push(reader.bytes())
      break
    }
    case 5: {
      obj.cursor = Cursor.codec().decode(reader, reader.uint32(), inside(opts.limits?.cursor))
      break
    }
    case 6: {
      if (opts.limits?.hints != null && obj.hints.length === opts.limits.hints) {
        throw new MaxLengthError('Decode error - repeated field "hints" had too many elements')
      }

      obj.hints.push(Hint.codec().decode(reader, reader.uint32(), inside(opts.limits?.hints$)))
      break
    }
    case 7: {
      obj.caughtUp = reader.bool()
      break
    }
    case 9: {
      if (opts.limits?.delegations != null && obj.delegations.length === opts.limits.delegations) {
        throw new MaxLengthError('Decode error - repeated field "delegations" had too many elements')
      }

      obj.delegations.push(reader.bytes())
      break
    }
    case 30: {
      if (opts.limits?.cosignatures != null && obj.cosignatures.length === opts.limits.cosignatures) {
        throw new MaxLengthError('Decode error - repeated field "cosignatures" had too many elements')
      }

      obj.cosignatures.push(reader.bytes())
      break
    }
    case 8: {
      if (opts.limits?.revokes != null && obj.revokes.length === opts.limits.revokes) {
        throw new MaxLengthError('Decode error - repeated field "revokes" had too many elements')
      }

      obj.revokes.push(reader.bytes())
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface SyncStart {
  status: number
  mode: number
  replicaAgeMs: number
  retryAfterMs: number
}

export const SyncStart = messageType<SyncStart>((obj, w) => {
  if ((obj.status != null && obj.status !== 0)) {
    w.uint32(8)
    w.uint32(obj.status)
  }

  if ((obj.mode != null && obj.mode !== 0)) {
    w.uint32(16)
    w.uint32(obj.mode)
  }

  if ((obj.replicaAgeMs != null && obj.replicaAgeMs !== 0)) {
    w.uint32(24)
    w.uint64Number(obj.replicaAgeMs)
  }

  if ((obj.retryAfterMs != null && obj.retryAfterMs !== 0)) {
    w.uint32(32)
    w.uint64Number(obj.retryAfterMs)
  }
}, () => ({
  status: 0,
  mode: 0,
  replicaAgeMs: 0,
  retryAfterMs: 0
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.status = reader.uint32()
      break
    }
    case 2: {
      obj.mode = reader.uint32()
      break
    }
    case 3: {
      obj.replicaAgeMs = reader.uint64Number()
      break
    }
    case 4: {
      obj.retryAfterMs = reader.uint64Number()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface Hint {
  publicKey: Uint8Array
  source: Uint8Array
  heardMs: number
  state: number
  sinceMs: number
  reason: string
  rttMs: number
  connected: Uint8Array[]
  seq: number
  start: number
  count: number
}

export const Hint = messageType<Hint>((obj, w) => {
  if ((obj.publicKey != null && obj.publicKey.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.publicKey)
  }

  if ((obj.source != null && obj.source.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.source)
  }

  if ((obj.heardMs != null && obj.heardMs !== 0)) {
    w.uint32(24)
    w.uint64Number(obj.heardMs)
  }

  if ((obj.state != null && obj.state !== 0)) {
    w.uint32(32)
    w.uint32(obj.state)
  }

  if ((obj.sinceMs != null && obj.sinceMs !== 0)) {
    w.uint32(40)
    w.uint64Number(obj.sinceMs)
  }

  if ((obj.reason != null && obj.reason !== '')) {
    w.uint32(50)
    w.string(obj.reason)
  }

  if ((obj.rttMs != null && obj.rttMs !== 0)) {
    w.uint32(56)
    w.uint32(obj.rttMs)
  }

  if (obj.connected != null && obj.connected.length > 0) {
    for (const value of obj.connected) {
      w.uint32(66)
      w.bytes(value)
    }
  }

  if ((obj.seq != null && obj.seq !== 0)) {
    w.uint32(72)
    w.uint64Number(obj.seq)
  }

  if ((obj.start != null && obj.start !== 0)) {
    w.uint32(80)
    w.uint64Number(obj.start)
  }

  if ((obj.count != null && obj.count !== 0)) {
    w.uint32(88)
    w.uint64Number(obj.count)
  }
}, () => ({
  publicKey: uint8ArrayAlloc(0),
  source: uint8ArrayAlloc(0),
  heardMs: 0,
  state: 0,
  sinceMs: 0,
  reason: '',
  rttMs: 0,
  connected: [],
  seq: 0,
  start: 0,
  count: 0
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.publicKey = reader.bytes()
      break
    }
    case 2: {
      obj.source = reader.bytes()
      break
    }
    case 3: {
      obj.heardMs = reader.uint64Number()
      break
    }
    case 4: {
      obj.state = reader.uint32()
      break
    }
    case 5: {
      obj.sinceMs = reader.uint64Number()
      break
    }
    case 6: {
      obj.reason = reader.string()
      break
    }
    case 7: {
      obj.rttMs = reader.uint32()
      break
    }
    case 8: {
      if (opts.limits?.connected != null && obj.connected.length === opts.limits.connected) {
        throw new MaxLengthError('Decode error - repeated field "connected" had too many elements')
      }

      obj.connected.push(reader.bytes())
      break
    }
    case 9: {
      obj.seq = reader.uint64Number()
      break
    }
    case 10: {
      obj.start = reader.uint64Number()
      break
    }
    case 11: {
      obj.count = reader.uint64Number()
      break
    }
    default: {
      return false
    }
  }

  return true
})
