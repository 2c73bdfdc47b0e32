import { MaxLengthError } from 'protons-runtime'
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc'
import { inside, messageType } from '../../../runtime/message-type.ts'

export interface LookupRequest {
  version: number
  networkId: Uint8Array
  publicKey: Uint8Array
  name: string
  role: number
  service: string
  state: number
  after: Uint8Array
  limit: number
  trace?: Uint8Array
}

export const LookupRequest = messageType<LookupRequest>((obj, w) => {
  if ((obj.version != null && obj.version !== 0)) {
    w.uint32(8)
    w.uint32(obj.version)
  }

  if ((obj.networkId != null && obj.networkId.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.networkId)
  }

  if ((obj.publicKey != null && obj.publicKey.byteLength > 0)) {
    w.uint32(26)
    w.bytes(obj.publicKey)
  }

  if ((obj.name != null && obj.name !== '')) {
    w.uint32(34)
    w.string(obj.name)
  }

  if ((obj.role != null && obj.role !== 0)) {
    w.uint32(40)
    w.uint32(obj.role)
  }

  if ((obj.service != null && obj.service !== '')) {
    w.uint32(50)
    w.string(obj.service)
  }

  if ((obj.state != null && obj.state !== 0)) {
    w.uint32(56)
    w.uint32(obj.state)
  }

  if ((obj.after != null && obj.after.byteLength > 0)) {
    w.uint32(66)
    w.bytes(obj.after)
  }

  if ((obj.limit != null && obj.limit !== 0)) {
    w.uint32(72)
    w.uint32(obj.limit)
  }

  if (obj.trace != null) {
    w.uint32(250)
    w.bytes(obj.trace)
  }
}, () => ({
  version: 0,
  networkId: uint8ArrayAlloc(0),
  publicKey: uint8ArrayAlloc(0),
  name: '',
  role: 0,
  service: '',
  state: 0,
  after: uint8ArrayAlloc(0),
  limit: 0
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
      obj.publicKey = reader.bytes()
      break
    }
    case 4: {
      obj.name = reader.string()
      break
    }
    case 5: {
      obj.role = reader.uint32()
      break
    }
    case 6: {
      obj.service = reader.string()
      break
    }
    case 7: {
      obj.state = reader.uint32()
      break
    }
    case 8: {
      obj.after = reader.bytes()
      break
    }
    case 9: {
      obj.limit = reader.uint32()
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

export interface LookupAnswer {
  status: number
  rows: LookupRow[]
  next: Uint8Array
  replicaAgeMs: number
  retryAfterMs: number
}

export const LookupAnswer = messageType<LookupAnswer>((obj, w) => {
  if ((obj.status != null && obj.status !== 0)) {
    w.uint32(8)
    w.uint32(obj.status)
  }

  if (obj.rows != null && obj.rows.length > 0) {
    for (const value of obj.rows) {
      w.uint32(18)
      LookupRow.codec().encode(value, w)
    }
  }

  if ((obj.next != null && obj.next.byteLength > 0)) {
    w.uint32(26)
    w.bytes(obj.next)
  }

  if ((obj.replicaAgeMs != null && obj.replicaAgeMs !== 0)) {
    w.uint32(32)
    w.uint64Number(obj.replicaAgeMs)
  }

  if ((obj.retryAfterMs != null && obj.retryAfterMs !== 0)) {
    w.uint32(40)
    w.uint64Number(obj.retryAfterMs)
  }
}, () => ({
  status: 0,
  rows: [],
  next: uint8ArrayAlloc(0),
  replicaAgeMs: 0,
  retryAfterMs: 0
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.status = reader.uint32()
      break
    }
    case 2: {
      if (opts.limits?.rows != null && obj.rows.length === opts.limits.rows) {
        throw new MaxLengthError('Decode error - repeated field "rows" had too many elements')
      }

      obj.rows.push(LookupRow.codec().decode(reader, reader.uint32(), inside(opts.limits?.rows$)))
      break
    }
    case 3: {
      obj.next = reader.bytes()
      break
    }
    case 4: {
      obj.replicaAgeMs = reader.uint64Number()
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

export interface LookupRow {
  publicKey: Uint8Array
  name: string
  record: Uint8Array
  admit: Uint8Array
  state: number
  heardMs: number
  role: number
}

export const LookupRow = messageType<LookupRow>((obj, w) => {
  if ((obj.publicKey != null && obj.publicKey.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.publicKey)
  }

  if ((obj.name != null && obj.name !== '')) {
    w.uint32(18)
    w.string(obj.name)
  }

  if ((obj.record != null && obj.record.byteLength > 0)) {
    w.uint32(26)
    w.bytes(obj.record)
  }

  if ((obj.admit != null && obj.admit.byteLength > 0)) {
    w.uint32(34)
    w.bytes(obj.admit)
  }

  if ((obj.state != null && obj.state !== 0)) {
    w.uint32(40)
    w.uint32(obj.state)
  }

  if ((obj.heardMs != null && obj.heardMs !== 0)) {
    w.uint32(48)
    w.uint64Number(obj.heardMs)
  }

  if ((obj.role != null && obj.role !== 0)) {
    w.uint32(56)
    w.uint32(obj.role)
  }
}, () => ({
  publicKey: uint8ArrayAlloc(0),
  name: '',
  record: uint8ArrayAlloc(0),
  admit: uint8ArrayAlloc(0),
  state: 0,
  heardMs: 0,
  role: 0
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.publicKey = reader.bytes()
      break
    }
    case 2: {
      obj.name = reader.string()
      break
    }
    case 3: {
      obj.record = reader.bytes()
      break
    }
    case 4: {
      obj.admit = reader.bytes()
      break
    }
    case 5: {
      obj.state = reader.uint32()
      break
    }
    case 6: {
      obj.heardMs = reader.uint64Number()
      break
    }
    case 7: {
      obj.role = reader.uint32()
      break
    }
    default: {
      return false
    }
  }

  return true
})
