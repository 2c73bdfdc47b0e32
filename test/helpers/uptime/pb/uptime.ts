import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc'
import { messageType } from '../../../../src/runtime/message-type.ts'

export interface UptimeRequest {
  version: number
  networkId: Uint8Array
}

export const UptimeRequest = messageType<UptimeRequest>((obj, w) => {
  if ((obj.version != null && obj.version !== 0)) {
    w.uint32(8)
    w.uint32(obj.version)
  }

  if ((obj.networkId != null && obj.networkId.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.networkId)
  }
}, () => ({
  version: 0,
  networkId: uint8ArrayAlloc(0)
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
    default: {
      return false
    }
  }

  return true
})

export interface UptimeAnswer {
  status: number
  upMs: number
  retryAfterMs: number
}

export const UptimeAnswer = messageType<UptimeAnswer>((obj, w) => {
  if ((obj.status != null && obj.status !== 0)) {
    w.uint32(8)
    w.uint32(obj.status)
  }

  if ((obj.upMs != null && obj.upMs !== 0)) {
    w.uint32(16)
    w.uint64Number(obj.upMs)
  }

  if ((obj.retryAfterMs != null && obj.retryAfterMs !== 0)) {
    w.uint32(24)
    w.uint64Number(obj.retryAfterMs)
  }
}, () => ({
  status: 0,
  upMs: 0,
  retryAfterMs: 0
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.status = reader.uint32()
      break
    }
    case 2: {
      obj.upMs = reader.uint64Number()
      break
    }
    case 3: {
      obj.retryAfterMs = reader.uint64Number()
      break
    }
    default: {
      return false
    }
  }

  return true
})
