import { MaxLengthError } from 'protons-runtime'
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc'
import { inside, messageType } from '../../../runtime/message-type.ts'

export interface SessionFrame {
  id: number
  register?: RegisterRequest
  registered?: RegisterAnswer
  heartbeat?: Heartbeat
  heartbeatAnswer?: HeartbeatAnswer
  deregister?: Deregister
  answer?: Answer
  ping?: number
  pong?: boolean
  put?: PutRecord
  renew?: RenewMembership
  forget?: Forget
  admitted?: Admitted
  forward?: ForwardJoin
  handOver?: HandOver
  rotate?: RotateKey
  trace?: Uint8Array
}

export const SessionFrame = messageType<SessionFrame>((obj, w) => {
  if ((obj.id != null && obj.id !== 0)) {
    w.uint32(8)
    w.uint32(obj.id)
  }

  if (obj.register != null) {
    w.uint32(18)
    RegisterRequest.codec().encode(obj.register, w)
  }

  if (obj.registered != null) {
    w.uint32(26)
    RegisterAnswer.codec().encode(obj.registered, w)
  }

  if (obj.heartbeat != null) {
    w.uint32(34)
    Heartbeat.codec().encode(obj.heartbeat, w)
  }

  if (obj.heartbeatAnswer != null) {
    w.uint32(42)
    HeartbeatAnswer.codec().encode(obj.heartbeatAnswer, w)
  }

  if (obj.deregister != null) {
    w.uint32(50)
    Deregister.codec().encode(obj.deregister, w)
  }

  if (obj.answer != null) {
    w.uint32(58)
    Answer.codec().encode(obj.answer, w)
  }

  if (obj.ping != null) {
    w.uint32(64)
    w.uint32(obj.ping)
  }

  if (obj.pong != null) {
    w.uint32(72)
    w.bool(obj.pong)
  }

  if (obj.put != null) {
    w.uint32(82)
    PutRecord.codec().encode(obj.put, w)
  }

  if (obj.renew != null) {
    w.uint32(90)
    RenewMembership.codec().encode(obj.renew, w)
  }

  if (obj.forget != null) {
    w.uint32(98)
    Forget.codec().encode(obj.forget, w)
  }

  if (obj.admitted != null) {
    w.uint32(106)
    Admitted.codec().encode(obj.admitted, w)
  }

  if (obj.forward != null) {
    w.uint32(114)
    ForwardJoin.codec().encode(obj.forward, w)
  }

  if (obj.handOver != null) {
    w.uint32(122)
    HandOver.codec().encode(obj.handOver, w)
  }

  if (obj.rotate != null) {
    w.uint32(130)
    RotateKey.codec().encode(obj.rotate, w)
  }

  if (obj.trace != null) {
    w.uint32(250)
    w.bytes(obj.trace)
  }
}, () => ({
  id: 0
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.id = reader.uint32()
      break
    }
    case 2: {
      obj.register = RegisterRequest.codec().decode(reader, reader.uint32(), inside(opts.limits?.register))
      break
    }
    case 3: {
      obj.registered = RegisterAnswer.codec().decode(reader, reader.uint32(), inside(opts.limits?.registered))
      break
    }
    case 4: {
      obj.heartbeat = Heartbeat.codec().decode(reader, reader.uint32(), inside(opts.limits?.heartbeat))
      break
    }
    case 5: {
      obj.heartbeatAnswer = HeartbeatAnswer.codec().decode(reader, reader.uint32(), inside(opts.limits?.heartbeatAnswer))
      break
    }
    case 6: {
      obj.deregister = Deregister.codec().decode(reader, reader.uint32(), inside(opts.limits?.deregister))
      break
    }
    case 7: {
      obj.answer = Answer.codec().decode(reader, reader.uint32(), inside(opts.limits?.answer))
      break
    }
    case 8: {
      obj.ping = reader.uint32()
      break
    }
    case 9: {
      obj.pong = reader.bool()
      break
    }
    case 10: {
      obj.put = PutRecord.codec().decode(reader, reader.uint32(), inside(opts.limits?.put))
      break
    }
    case 11: {
      obj.renew = RenewMembership.codec().decode(reader, reader.uint32(), inside(opts.limits?.renew))
      break
    }
    case 12: {
      obj.forget = Forget.codec().decode(reader, reader.uint32(), inside(opts.limits?.forget))
      break
    }
    case 13: {
      obj.admitted = Admitted.codec().decode(reader, reader.uint32(), inside(opts.limits?.admitted))
      break
    }
    case 14: {
      obj.forward = ForwardJoin.codec().decode(reader, reader.uint32(), inside(opts.limits?.forward))
      break
    }
    case 15: {
      obj.handOver = HandOver.codec().decode(reader, reader.uint32(), inside(opts.limits?.handOver))
      break
    }
    case 16: {
      obj.rotate = RotateKey.codec().decode(reader, reader.uint32(), inside(opts.limits?.rotate))
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

export interface Answer {
  status: number
  retryAfterMs: number
  record: Uint8Array
  entry: Uint8Array
}

export const Answer = messageType<Answer>((obj, w) => {
  if ((obj.status != null && obj.status !== 0)) {
    w.uint32(8)
    w.uint32(obj.status)
  }

  if ((obj.retryAfterMs != null && obj.retryAfterMs !== 0)) {
    w.uint32(16)
    w.uint64Number(obj.retryAfterMs)
  }

  if ((obj.record != null && obj.record.byteLength > 0)) {
    w.uint32(26)
    w.bytes(obj.record)
  }

  if ((obj.entry != null && obj.entry.byteLength > 0)) {
    w.uint32(34)
    w.bytes(obj.entry)
  }
}, () => ({
  status: 0,
  retryAfterMs: 0,
  record: uint8ArrayAlloc(0),
  entry: uint8ArrayAlloc(0)
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.status = reader.uint32()
      break
    }
    case 2: {
      obj.retryAfterMs = reader.uint64Number()
      break
    }
    case 3: {
      obj.record = reader.bytes()
      break
    }
    case 4: {
      obj.entry = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface RegisterRequest {
  record: Uint8Array
  join: Uint8Array
  instance: Uint8Array
}

export const RegisterRequest = messageType<RegisterRequest>((obj, w) => {
  if ((obj.record != null && obj.record.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.record)
  }

  if ((obj.join != null && obj.join.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.join)
  }

  if ((obj.instance != null && obj.instance.byteLength > 0)) {
    w.uint32(26)
    w.bytes(obj.instance)
  }
}, () => ({
  record: uint8ArrayAlloc(0),
  join: uint8ArrayAlloc(0),
  instance: uint8ArrayAlloc(0)
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.record = reader.bytes()
      break
    }
    case 2: {
      obj.join = reader.bytes()
      break
    }
    case 3: {
      obj.instance = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface RegisterAnswer {
  status: number
  retryAfterMs: number
  admit: Uint8Array
  leaseMs: number
  heartbeatMs: number
  peers: Uint8Array[]
  registries: Uint8Array[]
  checkpoint: Uint8Array
  observed: Uint8Array
  record: Uint8Array
  replicaAgeMs: number
}

export const RegisterAnswer = messageType<RegisterAnswer>((obj, w) => {
  if ((obj.status != null && obj.status !== 0)) {
    w.uint32(8)
    w.uint32(obj.status)
  }

  if ((obj.retryAfterMs != null && obj.retryAfterMs !== 0)) {
    w.uint32(16)
    w.uint64Number(obj.retryAfterMs)
  }

  if ((obj.admit != null && obj.admit.byteLength > 0)) {
    w.uint32(26)
    w.bytes(obj.admit)
  }

  if ((obj.leaseMs != null && obj.leaseMs !== 0)) {
    w.uint32(32)
    w.uint64Number(obj.leaseMs)
  }

  if ((obj.heartbeatMs != null && obj.heartbeatMs !== 0)) {
    w.uint32(40)
    w.uint64Number(obj.heartbeatMs)
  }

  if (obj.peers != null && obj.peers.length > 0) {
    for (const value of obj.peers) {
      w.uint32(50)
      w.bytes(value)
    }
  }

  if (obj.registries != null && obj.registries.length > 0) {
    for (const value of obj.registries) {
      w.uint32(58)
      w.bytes(value)
    }
  }

  if ((obj.checkpoint != null && obj.checkpoint.byteLength > 0)) {
    w.uint32(66)
    w.bytes(obj.checkpoint)
  }

  if ((obj.observed != null && obj.observed.byteLength > 0)) {
    w.uint32(74)
    w.bytes(obj.observed)
  }

  if ((obj.record != null && obj.record.byteLength > 0)) {
    w.uint32(82)
    w.bytes(obj.record)
  }

  if ((obj.replicaAgeMs != null && obj.replicaAgeMs !== 0)) {
    w.uint32(88)
    w.uint64Number(obj.replicaAgeMs)
  }
}, () => ({
  status: 0,
  retryAfterMs: 0,
  admit: uint8ArrayAlloc(0),
  leaseMs: 0,
  heartbeatMs: 0,
  peers: [],
  registries: [],
  checkpoint: uint8ArrayAlloc(0),
  observed: uint8ArrayAlloc(0),
  record: uint8ArrayAlloc(0),
  replicaAgeMs: 0
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.status = reader.uint32()
      break
    }
    case 2: {
      obj.retryAfterMs = reader.uint64Number()
      break
    }
    case 3: {
      obj.admit = reader.bytes()
      break
    }
    case 4: {
      obj.leaseMs = reader.uint64Number()
      break
    }
    case 5: {
      obj.heartbeatMs = reader.uint64Number()
      break
    }
    case 6: {
      if (opts.limits?.peers != null && obj.peers.length === opts.limits.peers) {
        throw new MaxLengthError('Decode error - repeated field "peers" had too many elements')
      }

      obj.peers.push(reader.bytes())
      break
    }
    case 7: {
      if (opts.limits?.registries != null && obj.registries.length === opts.limits.registries) {
        throw new MaxLengthError('Decode error - repeated field "registries" had too many elements')
      }

      obj.registries.push(reader.bytes())
      break
    }
    case 8: {
      obj.checkpoint = reader.bytes()
      break
    }
    case 9: {
      obj.observed = reader.bytes()
      break
    }
    case 10: {
      obj.record = reader.bytes()
      break
    }
    case 11: {
      obj.replicaAgeMs = reader.uint64Number()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface Heartbeat {
  checkpoint: Uint8Array
  seq: number
  connected: Uint8Array[]
  rttMs: number
  cosignatures: Uint8Array[]
}

export const Heartbeat = messageType<Heartbeat>((obj, w) => {
  if ((obj.checkpoint != null && obj.checkpoint.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.checkpoint)
  }

  if ((obj.seq != null && obj.seq !== 0)) {
    w.uint32(16)
    w.uint64Number(obj.seq)
  }

  if (obj.connected != null && obj.connected.length > 0) {
    for (const value of obj.connected) {
      w.uint32(26)
      w.bytes(value)
    }
  }

  if ((obj.rttMs != null && obj.rttMs !== 0)) {
    w.uint32(32)
    w.uint32(obj.rttMs)
  }

  if (obj.cosignatures != null && obj.cosignatures.length > 0) {
    for (const value of obj.cosignatures) {
      w.uint32(242)
      w.bytes(value)
    }
  }
}, () => ({
  checkpoint: uint8ArrayAlloc(0),
  seq: 0,
  connected: [],
  rttMs: 0,
  cosignatures: []
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.checkpoint = reader.bytes()
      break
    }
    case 2: {
      obj.seq = reader.uint64Number()
      break
    }
    case 3: {
      if (opts.limits?.connected != null && obj.connected.length === opts.limits.connected) {
        throw new MaxLengthError('Decode error - repeated field "connected" had too many elements')
      }

      obj.connected.push(reader.bytes())
      break
    }
    case 4: {
      obj.rttMs = reader.uint32()
      break
    }
    case 30: {
      if (opts.limits?.cosignatures != null && obj.cosignatures.length === opts.limits.cosignatures) {
        throw new MaxLengthError('Decode error - repeated field "cosignatures" had too many elements')
      }

      obj.cosignatures.push(reader.bytes())
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface HeartbeatAnswer {
  status: number
  leaseMs: number
  heartbeatMs: number
  checkpoint: Uint8Array
  replicaAgeMs: number
  contested: boolean
  cosignatures: Uint8Array[]
}

export const HeartbeatAnswer = messageType<HeartbeatAnswer>((obj, w) => {
  if ((obj.status != null && obj.status !== 0)) {
    w.uint32(8)
    w.uint32(obj.status)
  }

  if ((obj.leaseMs != null && obj.leaseMs !== 0)) {
    w.uint32(16)
    w.uint64Number(obj.leaseMs)
  }

  if ((obj.heartbeatMs != null && obj.heartbeatMs !== 0)) {
    w.uint32(24)
    w.uint64Number(obj.heartbeatMs)
  }

  if ((obj.checkpoint != null && obj.checkpoint.byteLength > 0)) {
    w.uint32(34)
    w.bytes(obj.checkpoint)
  }

  if ((obj.replicaAgeMs != null && obj.replicaAgeMs !== 0)) {
    w.uint32(40)
    w.uint64Number(obj.replicaAgeMs)
  }

  if ((obj.contested != null && obj.contested !== false)) {
    w.uint32(48)
    w.bool(obj.contested)
  }

  if (obj.cosignatures != null && obj.cosignatures.length > 0) {
    for (const value of obj.cosignatures) {
      w.uint32(242)
      w.bytes(value)
    }
  }
}, () => ({
  status: 0,
  leaseMs: 0,
  heartbeatMs: 0,
  checkpoint: uint8ArrayAlloc(0),
  replicaAgeMs: 0,
  contested: false,
  cosignatures: []
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.status = reader.uint32()
      break
    }
    case 2: {
      obj.leaseMs = reader.uint64Number()
      break
    }
    case 3: {
      obj.heartbeatMs = reader.uint64Number()
      break
    }
    case 4: {
      obj.checkpoint = reader.bytes()
      break
    }
    case 5: {
      obj.replicaAgeMs = reader.uint64Number()
      break
    }
    case 6: {
      obj.contested = reader.bool()
      break
    }
    case 30: {
      if (opts.limits?.cosignatures != null && obj.cosignatures.length === opts.limits.cosignatures) {
        throw new MaxLengthError('Decode error - repeated field "cosignatures" had too many elements')
      }

      obj.cosignatures.push(reader.bytes())
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface Deregister {
  reason: string
  record: Uint8Array
  moved?: boolean
}

export const Deregister = messageType<Deregister>((obj, w) => {
  if ((obj.reason != null && obj.reason !== '')) {
    w.uint32(10)
    w.string(obj.reason)
  }

  if ((obj.record != null && obj.record.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.record)
  }

  if (obj.moved != null) {
    w.uint32(24)
    w.bool(obj.moved)
  }
}, () => ({
  reason: '',
  record: uint8ArrayAlloc(0)
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.reason = reader.string()
      break
    }
    case 2: {
      obj.record = reader.bytes()
      break
    }
    case 3: {
      obj.moved = reader.bool()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface PutRecord {
  record: Uint8Array
}

export const PutRecord = messageType<PutRecord>((obj, w) => {
  if ((obj.record != null && obj.record.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.record)
  }
}, () => ({
  record: uint8ArrayAlloc(0)
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.record = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface RenewMembership {
  request: Uint8Array
}

export const RenewMembership = messageType<RenewMembership>((obj, w) => {
  if ((obj.request != null && obj.request.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.request)
  }
}, () => ({
  request: uint8ArrayAlloc(0)
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.request = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface Forget {
  request: Uint8Array
}

export const Forget = messageType<Forget>((obj, w) => {
  if ((obj.request != null && obj.request.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.request)
  }
}, () => ({
  request: uint8ArrayAlloc(0)
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.request = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface RotateKey {
  proofOld: Uint8Array
  proofNew: Uint8Array
}

export const RotateKey = messageType<RotateKey>((obj, w) => {
  if ((obj.proofOld != null && obj.proofOld.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.proofOld)
  }

  if ((obj.proofNew != null && obj.proofNew.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.proofNew)
  }
}, () => ({
  proofOld: uint8ArrayAlloc(0),
  proofNew: uint8ArrayAlloc(0)
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.proofOld = reader.bytes()
      break
    }
    case 2: {
      obj.proofNew = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface Admitted {
  status: number
  admit: Uint8Array
}

export const Admitted = messageType<Admitted>((obj, w) => {
  if ((obj.status != null && obj.status !== 0)) {
    w.uint32(8)
    w.uint32(obj.status)
  }

  if ((obj.admit != null && obj.admit.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.admit)
  }
}, () => ({
  status: 0,
  admit: uint8ArrayAlloc(0)
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.status = reader.uint32()
      break
    }
    case 2: {
      obj.admit = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface HandOver {
  entry: Uint8Array
}

export const HandOver = messageType<HandOver>((obj, w) => {
  if ((obj.entry != null && obj.entry.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.entry)
  }
}, () => ({
  entry: uint8ArrayAlloc(0)
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.entry = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface ForwardJoin {
  join: Uint8Array
  receipt: Uint8Array
}

export const ForwardJoin = messageType<ForwardJoin>((obj, w) => {
  if ((obj.join != null && obj.join.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.join)
  }

  if ((obj.receipt != null && obj.receipt.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.receipt)
  }
}, () => ({
  join: uint8ArrayAlloc(0),
  receipt: uint8ArrayAlloc(0)
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.join = reader.bytes()
      break
    }
    case 2: {
      obj.receipt = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})
