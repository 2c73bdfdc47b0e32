import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc'
import { messageType } from '../../../runtime/message-type.ts'

export interface ProbeRequest {
  version: number
  networkId: Uint8Array
  addr: Uint8Array
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

  if (obj.trace != null) {
    w.uint32(250)
    w.bytes(obj.trace)
  }
}, (reader, length, opts = {}) => {
  const obj: ProbeRequest = {
    version: 0,
    networkId: uint8ArrayAlloc(0),
    addr: uint8ArrayAlloc(0)
  }

  const end = length == null ? reader.len : reader.pos + length

  while (reader.pos < end) {
    const tag = reader.uint32()

    switch (tag >>> 3) {
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
      case 31: {
        obj.trace = reader.bytes()
        break
      }
      default: {
        reader.skipType(tag & 7)
        break
      }
    }
  }

  return obj
})

export interface ProbeAnswer {
  status: number
  outcome: number
  retryAfterMs: number
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
}, (reader, length, opts = {}) => {
  const obj: ProbeAnswer = {
    status: 0,
    outcome: 0,
    retryAfterMs: 0
  }

  const end = length == null ? reader.len : reader.pos + length

  while (reader.pos < end) {
    const tag = reader.uint32()

    switch (tag >>> 3) {
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
      default: {
        reader.skipType(tag & 7)
        break
      }
    }
  }

  return obj
})
