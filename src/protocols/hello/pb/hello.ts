// @ts-nocheck
import { decodeMessage, encodeMessage, MaxLengthError, message, streamMessage } from 'protons-runtime'
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc'
import type { Codec, DecodeOptions } from 'protons-runtime'
import type { Uint8ArrayList } from 'uint8arraylist'

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
}

export namespace Hello {
  let _codec: Codec<Hello>

  export const codec = (): Codec<Hello> => {
    if (_codec == null) {
      _codec = message<Hello>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

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

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
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
          status: 0
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
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const obj = {
          delegations: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.version`,
                value: reader.uint32()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.networkId`,
                value: reader.bytes()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.genesis`,
                value: reader.bytes()
              }
              break
            }
            case 4: {
              if (opts.limits?.delegations != null && obj.delegations === opts.limits.delegations) {
                throw new MaxLengthError('Streaming decode error - repeated field "delegations" had too many elements')
              }

              yield {
                field: `${prefix}.delegations[]`,
                index: obj.delegations,
                value: reader.bytes()
              }

              obj.delegations++

              break
            }
            case 5: {
              yield {
                field: `${prefix}.checkpoint`,
                value: reader.bytes()
              }
              break
            }
            case 6: {
              yield {
                field: `${prefix}.admit`,
                value: reader.bytes()
              }
              break
            }
            case 7: {
              yield {
                field: `${prefix}.renew`,
                value: reader.bytes()
              }
              break
            }
            case 8: {
              yield {
                field: `${prefix}.registrySet`,
                value: reader.bytes()
              }
              break
            }
            case 9: {
              yield {
                field: `${prefix}.role`,
                value: reader.uint32()
              }
              break
            }
            case 10: {
              yield {
                field: `${prefix}.software`,
                value: reader.string()
              }
              break
            }
            case 11: {
              yield {
                field: `${prefix}.status`,
                value: reader.uint32()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface HelloVersionFieldEvent {
    field: '$.version'
    value: number
  }

  export interface HelloNetworkIdFieldEvent {
    field: '$.networkId'
    value: Uint8Array
  }

  export interface HelloGenesisFieldEvent {
    field: '$.genesis'
    value: Uint8Array
  }

  export interface HelloDelegationsFieldEvent {
    field: '$.delegations[]'
    index: number
    value: Uint8Array
  }

  export interface HelloCheckpointFieldEvent {
    field: '$.checkpoint'
    value: Uint8Array
  }

  export interface HelloAdmitFieldEvent {
    field: '$.admit'
    value: Uint8Array
  }

  export interface HelloRenewFieldEvent {
    field: '$.renew'
    value: Uint8Array
  }

  export interface HelloRegistrySetFieldEvent {
    field: '$.registrySet'
    value: Uint8Array
  }

  export interface HelloRoleFieldEvent {
    field: '$.role'
    value: number
  }

  export interface HelloSoftwareFieldEvent {
    field: '$.software'
    value: string
  }

  export interface HelloStatusFieldEvent {
    field: '$.status'
    value: number
  }

  export function encode (obj: Partial<Hello>): Uint8Array {
    return encodeMessage(obj, Hello.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Hello>): Hello {
    return decodeMessage(buf, Hello.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Hello>): Generator<HelloVersionFieldEvent | HelloNetworkIdFieldEvent | HelloGenesisFieldEvent | HelloDelegationsFieldEvent | HelloCheckpointFieldEvent | HelloAdmitFieldEvent | HelloRenewFieldEvent | HelloRegistrySetFieldEvent | HelloRoleFieldEvent | HelloSoftwareFieldEvent | HelloStatusFieldEvent> {
    return streamMessage(buf, Hello.codec(), opts)
  }
}
