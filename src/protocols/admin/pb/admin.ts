import { MaxLengthError } from 'protons-runtime'
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc'
import { inside, messageType } from '../../../runtime/message-type.ts'

export interface AdminRequest {
  version: number
  networkId: Uint8Array
  acts: AdminAct[]
  question: Uint8Array
  order: Uint8Array
  forwarded: boolean
  document?: AdminDocument
  trace: Uint8Array
}

export const AdminRequest = messageType<AdminRequest>((obj, w) => {
  if ((obj.version != null && obj.version !== 0)) {
    w.uint32(8)
    w.uint32(obj.version)
  }

  if ((obj.networkId != null && obj.networkId.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.networkId)
  }

  if (obj.acts != null && obj.acts.length > 0) {
    for (const value of obj.acts) {
      w.uint32(26)
      AdminAct.codec().encode(value, w)
    }
  }

  if ((obj.question != null && obj.question.byteLength > 0)) {
    w.uint32(34)
    w.bytes(obj.question)
  }

  if ((obj.order != null && obj.order.byteLength > 0)) {
    w.uint32(42)
    w.bytes(obj.order)
  }

  if ((obj.forwarded != null && obj.forwarded !== false)) {
    w.uint32(48)
    w.bool(obj.forwarded)
  }

  if (obj.document != null) {
    w.uint32(58)
    AdminDocument.codec().encode(obj.document, w)
  }

  if ((obj.trace != null && obj.trace.byteLength > 0)) {
    w.uint32(250)
    w.bytes(obj.trace)
  }
}, () => ({
  version: 0,
  networkId: uint8ArrayAlloc(0),
  acts: [],
  question: uint8ArrayAlloc(0),
  order: uint8ArrayAlloc(0),
  forwarded: false,
  trace: uint8ArrayAlloc(0)
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
      if (opts.limits?.acts != null && obj.acts.length === opts.limits.acts) {
        throw new MaxLengthError('Decode error - repeated field "acts" had too many elements')
      }

      obj.acts.push(AdminAct.codec().decode(reader, reader.uint32(), inside(opts.limits?.acts$)))
      break
    }
    case 4: {
      obj.question = reader.bytes()
      break
    }
    case 5: {
      obj.order = reader.bytes()
      break
    }
    case 6: {
      obj.forwarded = reader.bool()
      break
    }
    case 7: {
      obj.document = AdminDocument.codec().decode(reader, reader.uint32(), inside(opts.limits?.document))
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

export interface AdminAct {
  kind: number
  body: Uint8Array
  order: Uint8Array
}

export const AdminAct = messageType<AdminAct>((obj, w) => {
  if ((obj.kind != null && obj.kind !== 0)) {
    w.uint32(8)
    w.uint32(obj.kind)
  }

  if ((obj.body != null && obj.body.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.body)
  }

  if ((obj.order != null && obj.order.byteLength > 0)) {
    w.uint32(26)
    w.bytes(obj.order)
  }
}, () => ({
  kind: 0,
  body: uint8ArrayAlloc(0),
  order: uint8ArrayAlloc(0)
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.kind = reader.uint32()
      break
    }
    case 2: {
      obj.body = reader.bytes()
      break
    }
    case 3: {
      obj.order = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface AdminDocument {
  body: Uint8Array
  order: Uint8Array
}

export const AdminDocument = messageType<AdminDocument>((obj, w) => {
  if ((obj.body != null && obj.body.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.body)
  }

  if ((obj.order != null && obj.order.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.order)
  }
}, () => ({
  body: uint8ArrayAlloc(0),
  order: uint8ArrayAlloc(0)
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.body = reader.bytes()
      break
    }
    case 2: {
      obj.order = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface AdminQuestion {
  what: number
  join: Uint8Array
  reason: string
}

export const AdminQuestion = messageType<AdminQuestion>((obj, w) => {
  if ((obj.what != null && obj.what !== 0)) {
    w.uint32(8)
    w.uint32(obj.what)
  }

  if ((obj.join != null && obj.join.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.join)
  }

  if ((obj.reason != null && obj.reason !== '')) {
    w.uint32(26)
    w.string(obj.reason)
  }
}, () => ({
  what: 0,
  join: uint8ArrayAlloc(0),
  reason: ''
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.what = reader.uint32()
      break
    }
    case 2: {
      obj.join = reader.bytes()
      break
    }
    case 3: {
      obj.reason = reader.string()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface AdminAnswer {
  status: number
  retryAfterMs: number
  entries: Uint8Array[]
  waiting: AdminWaiting[]
  version: number
}

export const AdminAnswer = messageType<AdminAnswer>((obj, w) => {
  if ((obj.status != null && obj.status !== 0)) {
    w.uint32(8)
    w.uint32(obj.status)
  }

  if ((obj.retryAfterMs != null && obj.retryAfterMs !== 0)) {
    w.uint32(16)
    w.uint64Number(obj.retryAfterMs)
  }

  if (obj.entries != null && obj.entries.length > 0) {
    for (const value of obj.entries) {
      w.uint32(26)
      w.bytes(value)
    }
  }

  if (obj.waiting != null && obj.waiting.length > 0) {
    for (const value of obj.waiting) {
      w.uint32(34)
      AdminWaiting.codec().encode(value, w)
    }
  }

  if ((obj.version != null && obj.version !== 0)) {
    w.uint32(40)
    w.uint32(obj.version)
  }
}, () => ({
  status: 0,
  retryAfterMs: 0,
  entries: [],
  waiting: [],
  version: 0
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
      if (opts.limits?.entries != null && obj.entries.length === opts.limits.entries) {
        throw new MaxLengthError('Decode error - repeated field "entries" had too many elements')
      }

      obj.entries.push(reader.bytes())
      break
    }
    case 4: {
      if (opts.limits?.waiting != null && obj.waiting.length === opts.limits.waiting) {
        throw new MaxLengthError('Decode error - repeated field "waiting" had too many elements')
      }

      obj.waiting.push(AdminWaiting.codec().decode(reader, reader.uint32(), inside(opts.limits?.waiting$)))
      break
    }
    case 5: {
      obj.version = reader.uint32()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface AdminWaiting {
  id: string
  sinceMs: number
  acts: AdminAct[]
}

export const AdminWaiting = messageType<AdminWaiting>((obj, w) => {
  if ((obj.id != null && obj.id !== '')) {
    w.uint32(10)
    w.string(obj.id)
  }

  if ((obj.sinceMs != null && obj.sinceMs !== 0)) {
    w.uint32(16)
    w.uint64Number(obj.sinceMs)
  }

  if (obj.acts != null && obj.acts.length > 0) {
    for (const value of obj.acts) {
      w.uint32(26)
      AdminAct.codec().encode(value, w)
    }
  }
}, () => ({
  id: '',
  sinceMs: 0,
  acts: []
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.id = reader.string()
      break
    }
    case 2: {
      obj.sinceMs = reader.uint64Number()
      break
    }
    case 3: {
      if (opts.limits?.acts != null && obj.acts.length === opts.limits.acts) {
        throw new MaxLengthError('Decode error - repeated field "acts" had too many elements')
      }

      obj.acts.push(AdminAct.codec().decode(reader, reader.uint32(), inside(opts.limits?.acts$)))
      break
    }
    default: {
      return false
    }
  }

  return true
})
