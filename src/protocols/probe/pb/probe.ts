import { MaxLengthError } from 'protons-runtime'
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc'
import { inside, messageType } from '../../../runtime/message-type.ts'

export interface ProbeRequest {
  version: number
  networkId: Uint8Array
  addr: Uint8Array
  target: Uint8Array
  trace?: Uint8Array
}

export const ProbeRequest = messageType<ProbeRequest>((obj, w) => {
  if ((obj.version != null && obj.version !== 0)) {
    w.uint32(8)
    w.uint32(obj.version)
  }

  if ((obj.networkId != null && obj.networkId.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.networkId)
  }

  if ((obj.addr != null && obj.addr.byteLength > 0)) {
    w.uint32(26)
    w.bytes(obj.addr)
  }

  if ((obj.target != null && obj.target.byteLength > 0)) {
    w.uint32(34)
    w.bytes(obj.target)
  }

  if (obj.trace != null) {
    w.uint32(250)
    w.bytes(obj.trace)
  }
}, () => ({
  version: 0,
  networkId: uint8ArrayAlloc(0),
  addr: uint8ArrayAlloc(0),
  target: uint8ArrayAlloc(0)
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
      obj.addr = reader.bytes()
      break
    }
    case 4: {
      obj.target = reader.bytes()
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

export interface ProbeAnswer {
  status: number
  outcome: number
  retryAfterMs: number
  failure: number
  tookMs: number
  members: ProbedMember[]
  left: number
}

export const ProbeAnswer = messageType<ProbeAnswer>((obj, w) => {
  if ((obj.status != null && obj.status !== 0)) {
    w.uint32(8)
    w.uint32(obj.status)
  }

  if ((obj.outcome != null && obj.outcome !== 0)) {
    w.uint32(16)
    w.uint32(obj.outcome)
  }

  if ((obj.retryAfterMs != null && obj.retryAfterMs !== 0)) {
    w.uint32(24)
    w.uint64Number(obj.retryAfterMs)
  }

  if ((obj.failure != null && obj.failure !== 0)) {
    w.uint32(32)
    w.uint32(obj.failure)
  }

  if ((obj.tookMs != null && obj.tookMs !== 0)) {
    w.uint32(40)
    w.uint32(obj.tookMs)
  }

  if (obj.members != null && obj.members.length > 0) {
    for (const value of obj.members) {
      w.uint32(50)
      ProbedMember.codec().encode(value, w)
    }
  }

  if ((obj.left != null && obj.left !== 0)) {
    w.uint32(56)
    w.uint32(obj.left)
  }
}, () => ({
  status: 0,
  outcome: 0,
  retryAfterMs: 0,
  failure: 0,
  tookMs: 0,
  members: [],
  left: 0
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.status = reader.uint32()
      break
    }
    case 2: {
      obj.outcome = reader.uint32()
      break
    }
    case 3: {
      obj.retryAfterMs = reader.uint64Number()
      break
    }
    case 4: {
      obj.failure = reader.uint32()
      break
    }
    case 5: {
      obj.tookMs = reader.uint32()
      break
    }
    case 6: {
      if (opts.limits?.members != null && obj.members.length === opts.limits.members) {
        throw new MaxLengthError('Decode error - repeated field "members" had too many elements')
      }

      obj.members.push(ProbedMember.codec().decode(reader, reader.uint32(), inside(opts.limits?.members$)))
      break
    }
    case 7: {
      obj.left = reader.uint32()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface ProbedMember {
  publicKey: Uint8Array
  addrs: ProbedAddr[]
}

export const ProbedMember = messageType<ProbedMember>((obj, w) => {
  if ((obj.publicKey != null && obj.publicKey.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.publicKey)
  }

  if (obj.addrs != null && obj.addrs.length > 0) {
    for (const value of obj.addrs) {
      w.uint32(18)
      ProbedAddr.codec().encode(value, w)
    }
  }
}, () => ({
  publicKey: uint8ArrayAlloc(0),
  addrs: []
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.publicKey = reader.bytes()
      break
    }
    case 2: {
      if (opts.limits?.addrs != null && obj.addrs.length === opts.limits.addrs) {
        throw new MaxLengthError('Decode error - repeated field "addrs" had too many elements')
      }

      obj.addrs.push(ProbedAddr.codec().decode(reader, reader.uint32(), inside(opts.limits?.addrs$)))
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface ProbedAddr {
  addr: Uint8Array
  words: ProbeWord[]
}

export const ProbedAddr = messageType<ProbedAddr>((obj, w) => {
  if ((obj.addr != null && obj.addr.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.addr)
  }

  if (obj.words != null && obj.words.length > 0) {
    for (const value of obj.words) {
      w.uint32(18)
      ProbeWord.codec().encode(value, w)
    }
  }
}, () => ({
  addr: uint8ArrayAlloc(0),
  words: []
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.addr = reader.bytes()
      break
    }
    case 2: {
      if (opts.limits?.words != null && obj.words.length === opts.limits.words) {
        throw new MaxLengthError('Decode error - repeated field "words" had too many elements')
      }

      obj.words.push(ProbeWord.codec().decode(reader, reader.uint32(), inside(opts.limits?.words$)))
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface ProbeWord {
  prober: Uint8Array
  outcome: number
  failure: number
  agoMs: number
  tookMs: number
}

export const ProbeWord = messageType<ProbeWord>((obj, w) => {
  if ((obj.prober != null && obj.prober.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.prober)
  }

  if ((obj.outcome != null && obj.outcome !== 0)) {
    w.uint32(16)
    w.uint32(obj.outcome)
  }

  if ((obj.failure != null && obj.failure !== 0)) {
    w.uint32(24)
    w.uint32(obj.failure)
  }

  if ((obj.agoMs != null && obj.agoMs !== 0)) {
    w.uint32(32)
    w.uint64Number(obj.agoMs)
  }

  if ((obj.tookMs != null && obj.tookMs !== 0)) {
    w.uint32(40)
    w.uint32(obj.tookMs)
  }
}, () => ({
  prober: uint8ArrayAlloc(0),
  outcome: 0,
  failure: 0,
  agoMs: 0,
  tookMs: 0
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.prober = reader.bytes()
      break
    }
    case 2: {
      obj.outcome = reader.uint32()
      break
    }
    case 3: {
      obj.failure = reader.uint32()
      break
    }
    case 4: {
      obj.agoMs = reader.uint64Number()
      break
    }
    case 5: {
      obj.tookMs = reader.uint32()
      break
    }
    default: {
      return false
    }
  }

  return true
})
