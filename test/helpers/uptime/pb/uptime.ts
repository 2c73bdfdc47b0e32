// @ts-nocheck
import { decodeMessage, encodeMessage, message } from 'protons-runtime'
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc'
import type { Codec, DecodeOptions } from 'protons-runtime'
import type { Uint8ArrayList } from 'uint8arraylist'

export interface UptimeRequest {
  version: number
  networkId: Uint8Array
}

export namespace UptimeRequest {
  let _codec: Codec<UptimeRequest>

  export const codec = (): Codec<UptimeRequest> => {
    if (_codec == null) {
      _codec = message<UptimeRequest>((obj, w, opts = {}) => {
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

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          version: 0,
          networkId: uint8ArrayAlloc(0)
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
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export function encode (obj: Partial<UptimeRequest>): Uint8Array {
    return encodeMessage(obj, UptimeRequest.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<UptimeRequest>): UptimeRequest {
    return decodeMessage(buf, UptimeRequest.codec(), opts)
  }
}

export interface UptimeAnswer {
  status: number
  upMs: number
  retryAfterMs: number
}

export namespace UptimeAnswer {
  let _codec: Codec<UptimeAnswer>

  export const codec = (): Codec<UptimeAnswer> => {
    if (_codec == null) {
      _codec = message<UptimeAnswer>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

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

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          status: 0,
          upMs: 0,
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
              obj.upMs = reader.uint64Number()
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
    }

    return _codec
  }

  export function encode (obj: Partial<UptimeAnswer>): Uint8Array {
    return encodeMessage(obj, UptimeAnswer.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<UptimeAnswer>): UptimeAnswer {
    return decodeMessage(buf, UptimeAnswer.codec(), opts)
  }
}
