import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc'
import { inside, messageType } from '../../../runtime/message-type.ts'

export interface HopMessage {
  type?: number
  peer?: CircuitPeer
  reservation?: CircuitReservation
  status?: number
}

export const HopMessage = messageType<HopMessage>((obj, w) => {
  if (obj.type != null) {
    w.uint32(8)
    w.uint32(obj.type)
  }

  if (obj.peer != null) {
    w.uint32(18)
    CircuitPeer.codec().encode(obj.peer, w)
  }

  if (obj.reservation != null) {
    w.uint32(26)
    CircuitReservation.codec().encode(obj.reservation, w)
  }

  if (obj.status != null) {
    w.uint32(40)
    w.uint32(obj.status)
  }
}, () => ({}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.type = reader.uint32()
      break
    }
    case 2: {
      obj.peer = CircuitPeer.codec().decode(reader, reader.uint32(), inside(opts.limits?.peer))
      break
    }
    case 3: {
      obj.reservation = CircuitReservation.codec().decode(reader, reader.uint32(), inside(opts.limits?.reservation))
      break
    }
    case 5: {
      obj.status = reader.uint32()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface StopMessage {
  type?: number
  peer?: CircuitPeer
  status?: number
}

export const StopMessage = messageType<StopMessage>((obj, w) => {
  if (obj.type != null) {
    w.uint32(8)
    w.uint32(obj.type)
  }

  if (obj.peer != null) {
    w.uint32(18)
    CircuitPeer.codec().encode(obj.peer, w)
  }

  if (obj.status != null) {
    w.uint32(32)
    w.uint32(obj.status)
  }
}, () => ({}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.type = reader.uint32()
      break
    }
    case 2: {
      obj.peer = CircuitPeer.codec().decode(reader, reader.uint32(), inside(opts.limits?.peer))
      break
    }
    case 4: {
      obj.status = reader.uint32()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface CircuitPeer {
  id: Uint8Array
}

export const CircuitPeer = messageType<CircuitPeer>((obj, w) => {
  if ((obj.id != null && obj.id.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.id)
  }
}, () => ({
  id: uint8ArrayAlloc(0)
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.id = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface CircuitReservation {
  expire: number
}

export const CircuitReservation = messageType<CircuitReservation>((obj, w) => {
  if ((obj.expire != null && obj.expire !== 0)) {
    w.uint32(8)
    w.uint64Number(obj.expire)
  }
}, () => ({
  expire: 0
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.expire = reader.uint64Number()
      break
    }
    default: {
      return false
    }
  }

  return true
})
