import { MaxLengthError } from 'protons-runtime'
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc'
import { messageType } from '../../../runtime/message-type.ts'

export interface BlocksRequest {
  version: number
  networkId: Uint8Array
  digests: Uint8Array[]
  trace?: Uint8Array
}

export const BlocksRequest = messageType<BlocksRequest>((obj, w) => {
  if ((obj.version != null && obj.version !== 0)) {
    w.uint32(8)
    w.uint32(obj.version)
  }

  if ((obj.networkId != null && obj.networkId.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.networkId)
  }

  if (obj.digests != null && obj.digests.length > 0) {
    for (const value of obj.digests) {
      w.uint32(26)
      w.bytes(value)
    }
  }

  if (obj.trace != null) {
    w.uint32(250)
    w.bytes(obj.trace)
  }
}, () => ({
  version: 0,
  networkId: uint8ArrayAlloc(0),
  digests: []
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
      if (opts.limits?.digests != null && obj.digests.length === opts.limits.digests) {
        throw new MaxLengthError('Decode error - repeated field "digests" had too many elements')
      }

      obj.digests.push(reader.bytes())
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

export interface BlockAnswer {
  status: number
  digest: Uint8Array
  bytes: Uint8Array
  absent: boolean
  retryAfterMs: number
}

export const BlockAnswer = messageType<BlockAnswer>((obj, w) => {
  if ((obj.status != null && obj.status !== 0)) {
    w.uint32(8)
    w.uint32(obj.status)
  }

  if ((obj.digest != null && obj.digest.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.digest)
  }

  if ((obj.bytes != null && obj.bytes.byteLength > 0)) {
    w.uint32(26)
    w.bytes(obj.bytes)
  }

  if ((obj.absent != null && obj.absent !== false)) {
    w.uint32(32)
    w.bool(obj.absent)
  }

  if ((obj.retryAfterMs != null && obj.retryAfterMs !== 0)) {
    w.uint32(40)
    w.uint64Number(obj.retryAfterMs)
  }
}, () => ({
  status: 0,
  digest: uint8ArrayAlloc(0),
  bytes: uint8ArrayAlloc(0),
  absent: false,
  retryAfterMs: 0
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.status = reader.uint32()
      break
    }
    case 2: {
      obj.digest = reader.bytes()
      break
    }
    case 3: {
      obj.bytes = reader.bytes()
      break
    }
    case 4: {
      obj.absent = reader.bool()
      break
    }
    case 5: {
      obj.retryAfterMs = reader.uint64Number()
      break
    }
    default: {
      return false
    }
  }

  return true
})
