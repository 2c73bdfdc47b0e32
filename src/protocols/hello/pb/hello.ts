import { MaxLengthError } from 'protons-runtime'
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc'
import { messageType } from '../../../runtime/message-type.ts'

export interface Hello {
  version: number
  networkId: Uint8Array
  genesis: Uint8Array
  delegations: Uint8Array[]
  checkpoint: Uint8Array
  admit: Uint8Array
  renew: Uint8Array
  registrySet: Uint8Array
  role: number
  software: string
  status: number
  timeMs: number
  cosignatures: Uint8Array[]
  trace?: Uint8Array
}

export const Hello = messageType<Hello>((obj, w) => {
  if ((obj.version != null && obj.version !== 0)) {
    w.uint32(8)
    w.uint32(obj.version)
  }

  if ((obj.networkId != null && obj.networkId.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.networkId)
  }

  if ((obj.genesis != null && obj.genesis.byteLength > 0)) {
    w.uint32(26)
    w.bytes(obj.genesis)
  }

  if (obj.delegations != null && obj.delegations.length > 0) {
    for (const value of obj.delegations) {
      w.uint32(34)
      w.bytes(value)
    }
  }

  if ((obj.checkpoint != null && obj.checkpoint.byteLength > 0)) {
    w.uint32(42)
    w.bytes(obj.checkpoint)
  }

  if ((obj.admit != null && obj.admit.byteLength > 0)) {
    w.uint32(50)
    w.bytes(obj.admit)
  }

  if ((obj.renew != null && obj.renew.byteLength > 0)) {
    w.uint32(58)
    w.bytes(obj.renew)
  }

  if ((obj.registrySet != null && obj.registrySet.byteLength > 0)) {
    w.uint32(66)
    w.bytes(obj.registrySet)
  }

  if ((obj.role != null && obj.role !== 0)) {
    w.uint32(72)
    w.uint32(obj.role)
  }

  if ((obj.software != null && obj.software !== '')) {
    w.uint32(82)
    w.string(obj.software)
  }

  if ((obj.status != null && obj.status !== 0)) {
    w.uint32(88)
    w.uint32(obj.status)
  }

  if ((obj.timeMs != null && obj.timeMs !== 0)) {
    w.uint32(96)
    w.uint64Number(obj.timeMs)
  }

  if (obj.cosignatures != null && obj.cosignatures.length > 0) {
    for (const value of obj.cosignatures) {
      w.uint32(242)
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
  genesis: uint8ArrayAlloc(0),
  delegations: [],
  checkpoint: uint8ArrayAlloc(0),
  admit: uint8ArrayAlloc(0),
  renew: uint8ArrayAlloc(0),
  registrySet: uint8ArrayAlloc(0),
  role: 0,
  software: '',
  status: 0,
  timeMs: 0,
  cosignatures: []
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
      obj.genesis = reader.bytes()
      break
    }
    case 4: {
      if (opts.limits?.delegations != null && obj.delegations.length === opts.limits.delegations) {
        throw new MaxLengthError('Decode error - repeated field "delegations" had too many elements')
      }

      obj.delegations.push(reader.bytes())
      break
    }
    case 5: {
      obj.checkpoint = reader.bytes()
      break
    }
    case 6: {
      obj.admit = reader.bytes()
      break
    }
    case 7: {
      obj.renew = reader.bytes()
      break
    }
    case 8: {
      obj.registrySet = reader.bytes()
      break
    }
    case 9: {
      obj.role = reader.uint32()
      break
    }
    case 10: {
      obj.software = reader.string()
      break
    }
    case 11: {
      obj.status = reader.uint32()
      break
    }
    case 12: {
      obj.timeMs = reader.uint64Number()
      break
    }
    case 30: {
      if (opts.limits?.cosignatures != null && obj.cosignatures.length === opts.limits.cosignatures) {
        throw new MaxLengthError('Decode error - repeated field "cosignatures" had too many elements')
      }

      obj.cosignatures.push(reader.bytes())
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
