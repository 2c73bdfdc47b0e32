import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc'
import { messageType } from '../../../runtime/message-type.ts'

export interface ForwardRequest {
  version: number
  networkId: Uint8Array
  service: string
  trace?: Uint8Array
}

export const ForwardRequest = messageType<ForwardRequest>((obj, w) => {
  if ((obj.version != null && obj.version !== 0)) {
    w.uint32(8)
    w.uint32(obj.version)
  }

  if ((obj.networkId != null && obj.networkId.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.networkId)
  }

  if ((obj.service != null && obj.service !== '')) {
    w.uint32(26)
    w.string(obj.service)
  }

  if (obj.trace != null) {
    w.uint32(250)
    w.bytes(obj.trace)
  }
}, () => ({
  version: 0,
  networkId: uint8ArrayAlloc(0),
  service: ''
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
      obj.service = reader.string()
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

export interface ForwardAnswer {
  version: number
  status: number
  retryAfterMs: number
  policyEntry: number
}

export const ForwardAnswer = messageType<ForwardAnswer>((obj, w) => {
  if ((obj.version != null && obj.version !== 0)) {
    w.uint32(8)
    w.uint32(obj.version)
  }

  if ((obj.status != null && obj.status !== 0)) {
    w.uint32(16)
    w.uint32(obj.status)
  }

  if ((obj.retryAfterMs != null && obj.retryAfterMs !== 0)) {
    w.uint32(24)
    w.uint64Number(obj.retryAfterMs)
  }

  if ((obj.policyEntry != null && obj.policyEntry !== 0)) {
    w.uint32(32)
    w.uint64Number(obj.policyEntry)
  }
}, () => ({
  version: 0,
  status: 0,
  retryAfterMs: 0,
  policyEntry: 0
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.version = reader.uint32()
      break
    }
    case 2: {
      obj.status = reader.uint32()
      break
    }
    case 3: {
      obj.retryAfterMs = reader.uint64Number()
      break
    }
    case 4: {
      obj.policyEntry = reader.uint64Number()
      break
    }
    default: {
      return false
    }
  }

  return true
})
