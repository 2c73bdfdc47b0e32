// @ts-nocheck
import { decodeMessage, encodeMessage, MaxLengthError, message, streamMessage } from 'protons-runtime'
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc'
import type { Codec, DecodeOptions } from 'protons-runtime'
import type { Uint8ArrayList } from 'uint8arraylist'

export interface Cursor {
  store: Uint8Array
  change: number
}

export namespace Cursor {
  let _codec: Codec<Cursor>

  export const codec = (): Codec<Cursor> => {
    if (_codec == null) {
      _codec = message<Cursor>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.store != null && obj.store.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.store)
        }

        if ((obj.change != null && obj.change !== 0)) {
          w.uint32(16)
          w.uint64Number(obj.change)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          store: uint8ArrayAlloc(0),
          change: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.store = reader.bytes()
              break
            }
            case 2: {
              obj.change = reader.uint64Number()
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
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.store`,
                value: reader.bytes()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.change`,
                value: reader.uint64Number()
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

  export interface CursorStoreFieldEvent {
    field: '$.store'
    value: Uint8Array
  }

  export interface CursorChangeFieldEvent {
    field: '$.change'
    value: number
  }

  export function encode (obj: Partial<Cursor>): Uint8Array {
    return encodeMessage(obj, Cursor.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Cursor>): Cursor {
    return decodeMessage(buf, Cursor.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Cursor>): Generator<CursorStoreFieldEvent | CursorChangeFieldEvent> {
    return streamMessage(buf, Cursor.codec(), opts)
  }
}

export interface SyncRequest {
  version: number
  networkId: Uint8Array
  epoch: number
  n: number
  hash: Uint8Array
  cursor?: Cursor
  digest: Uint8Array
  subscribe: boolean
  records: boolean
  stagedEpoch: number
  stagedN: number
  stagedUpTo: number
}

export namespace SyncRequest {
  let _codec: Codec<SyncRequest>

  export const codec = (): Codec<SyncRequest> => {
    if (_codec == null) {
      _codec = message<SyncRequest>((obj, w, opts = {}) => {
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

        if ((obj.epoch != null && obj.epoch !== 0)) {
          w.uint32(24)
          w.uint64Number(obj.epoch)
        }

        if ((obj.n != null && obj.n !== 0)) {
          w.uint32(32)
          w.uint64Number(obj.n)
        }

        if ((obj.hash != null && obj.hash.byteLength > 0)) {
          w.uint32(42)
          w.bytes(obj.hash)
        }

        if (obj.cursor != null) {
          w.uint32(50)
          Cursor.codec().encode(obj.cursor, w)
        }

        if ((obj.digest != null && obj.digest.byteLength > 0)) {
          w.uint32(58)
          w.bytes(obj.digest)
        }

        if ((obj.subscribe != null && obj.subscribe !== false)) {
          w.uint32(64)
          w.bool(obj.subscribe)
        }

        if ((obj.records != null && obj.records !== false)) {
          w.uint32(72)
          w.bool(obj.records)
        }

        if ((obj.stagedEpoch != null && obj.stagedEpoch !== 0)) {
          w.uint32(80)
          w.uint64Number(obj.stagedEpoch)
        }

        if ((obj.stagedN != null && obj.stagedN !== 0)) {
          w.uint32(88)
          w.uint64Number(obj.stagedN)
        }

        if ((obj.stagedUpTo != null && obj.stagedUpTo !== 0)) {
          w.uint32(96)
          w.uint64Number(obj.stagedUpTo)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          version: 0,
          networkId: uint8ArrayAlloc(0),
          epoch: 0,
          n: 0,
          hash: uint8ArrayAlloc(0),
          digest: uint8ArrayAlloc(0),
          subscribe: false,
          records: false,
          stagedEpoch: 0,
          stagedN: 0,
          stagedUpTo: 0
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
              obj.epoch = reader.uint64Number()
              break
            }
            case 4: {
              obj.n = reader.uint64Number()
              break
            }
            case 5: {
              obj.hash = reader.bytes()
              break
            }
            case 6: {
              obj.cursor = Cursor.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.cursor
              })
              break
            }
            case 7: {
              obj.digest = reader.bytes()
              break
            }
            case 8: {
              obj.subscribe = reader.bool()
              break
            }
            case 9: {
              obj.records = reader.bool()
              break
            }
            case 10: {
              obj.stagedEpoch = reader.uint64Number()
              break
            }
            case 11: {
              obj.stagedN = reader.uint64Number()
              break
            }
            case 12: {
              obj.stagedUpTo = reader.uint64Number()
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
                field: `${prefix}.epoch`,
                value: reader.uint64Number()
              }
              break
            }
            case 4: {
              yield {
                field: `${prefix}.n`,
                value: reader.uint64Number()
              }
              break
            }
            case 5: {
              yield {
                field: `${prefix}.hash`,
                value: reader.bytes()
              }
              break
            }
            case 6: {
              yield * Cursor.codec().stream(reader, reader.uint32(), `${prefix}.cursor`, {
                limits: opts.limits?.cursor
              })

              break
            }
            case 7: {
              yield {
                field: `${prefix}.digest`,
                value: reader.bytes()
              }
              break
            }
            case 8: {
              yield {
                field: `${prefix}.subscribe`,
                value: reader.bool()
              }
              break
            }
            case 9: {
              yield {
                field: `${prefix}.records`,
                value: reader.bool()
              }
              break
            }
            case 10: {
              yield {
                field: `${prefix}.stagedEpoch`,
                value: reader.uint64Number()
              }
              break
            }
            case 11: {
              yield {
                field: `${prefix}.stagedN`,
                value: reader.uint64Number()
              }
              break
            }
            case 12: {
              yield {
                field: `${prefix}.stagedUpTo`,
                value: reader.uint64Number()
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

  export interface SyncRequestVersionFieldEvent {
    field: '$.version'
    value: number
  }

  export interface SyncRequestNetworkIdFieldEvent {
    field: '$.networkId'
    value: Uint8Array
  }

  export interface SyncRequestEpochFieldEvent {
    field: '$.epoch'
    value: number
  }

  export interface SyncRequestNFieldEvent {
    field: '$.n'
    value: number
  }

  export interface SyncRequestHashFieldEvent {
    field: '$.hash'
    value: Uint8Array
  }

  export interface SyncRequestCursorStoreFieldEvent {
    field: '$.cursor.store'
    value: Uint8Array
  }

  export interface SyncRequestCursorChangeFieldEvent {
    field: '$.cursor.change'
    value: number
  }

  export interface SyncRequestDigestFieldEvent {
    field: '$.digest'
    value: Uint8Array
  }

  export interface SyncRequestSubscribeFieldEvent {
    field: '$.subscribe'
    value: boolean
  }

  export interface SyncRequestRecordsFieldEvent {
    field: '$.records'
    value: boolean
  }

  export interface SyncRequestStagedEpochFieldEvent {
    field: '$.stagedEpoch'
    value: number
  }

  export interface SyncRequestStagedNFieldEvent {
    field: '$.stagedN'
    value: number
  }

  export interface SyncRequestStagedUpToFieldEvent {
    field: '$.stagedUpTo'
    value: number
  }

  export function encode (obj: Partial<SyncRequest>): Uint8Array {
    return encodeMessage(obj, SyncRequest.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<SyncRequest>): SyncRequest {
    return decodeMessage(buf, SyncRequest.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<SyncRequest>): Generator<SyncRequestVersionFieldEvent | SyncRequestNetworkIdFieldEvent | SyncRequestEpochFieldEvent | SyncRequestNFieldEvent | SyncRequestHashFieldEvent | SyncRequestCursorStoreFieldEvent | SyncRequestCursorChangeFieldEvent | SyncRequestDigestFieldEvent | SyncRequestSubscribeFieldEvent | SyncRequestRecordsFieldEvent | SyncRequestStagedEpochFieldEvent | SyncRequestStagedNFieldEvent | SyncRequestStagedUpToFieldEvent> {
    return streamMessage(buf, SyncRequest.codec(), opts)
  }
}

export interface SyncFrame {
  start?: SyncStart
  entries: Uint8Array[]
  checkpoint: Uint8Array
  records: Uint8Array[]
  cursor?: Cursor
  hints: Hint[]
  caughtUp: boolean
  delegations: Uint8Array[]
  revokes: Uint8Array[]
}

export namespace SyncFrame {
  let _codec: Codec<SyncFrame>

  export const codec = (): Codec<SyncFrame> => {
    if (_codec == null) {
      _codec = message<SyncFrame>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.start != null) {
          w.uint32(10)
          SyncStart.codec().encode(obj.start, w)
        }

        if (obj.entries != null && obj.entries.length > 0) {
          for (const value of obj.entries) {
            w.uint32(18)
            w.bytes(value)
          }
        }

        if ((obj.checkpoint != null && obj.checkpoint.byteLength > 0)) {
          w.uint32(26)
          w.bytes(obj.checkpoint)
        }

        if (obj.records != null && obj.records.length > 0) {
          for (const value of obj.records) {
            w.uint32(34)
            w.bytes(value)
          }
        }

        if (obj.cursor != null) {
          w.uint32(42)
          Cursor.codec().encode(obj.cursor, w)
        }

        if (obj.hints != null && obj.hints.length > 0) {
          for (const value of obj.hints) {
            w.uint32(50)
            Hint.codec().encode(value, w)
          }
        }

        if ((obj.caughtUp != null && obj.caughtUp !== false)) {
          w.uint32(56)
          w.bool(obj.caughtUp)
        }

        if (obj.delegations != null && obj.delegations.length > 0) {
          for (const value of obj.delegations) {
            w.uint32(74)
            w.bytes(value)
          }
        }

        if (obj.revokes != null && obj.revokes.length > 0) {
          for (const value of obj.revokes) {
            w.uint32(66)
            w.bytes(value)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          entries: [],
          checkpoint: uint8ArrayAlloc(0),
          records: [],
          hints: [],
          caughtUp: false,
          delegations: [],
          revokes: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.start = SyncStart.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.start
              })
              break
            }
            case 2: {
              if (opts.limits?.entries != null && obj.entries.length === opts.limits.entries) {
                throw new MaxLengthError('Decode error - repeated field "entries" had too many elements')
              }

              obj.entries.push(reader.bytes())
              break
            }
            case 3: {
              obj.checkpoint = reader.bytes()
              break
            }
            case 4: {
              if (opts.limits?.records != null && obj.records.length === opts.limits.records) {
                throw new MaxLengthError('Decode error - repeated field "records" had too many elements')
              }

              obj.records.push(reader.bytes())
              break
            }
            case 5: {
              obj.cursor = Cursor.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.cursor
              })
              break
            }
            case 6: {
              if (opts.limits?.hints != null && obj.hints.length === opts.limits.hints) {
                throw new MaxLengthError('Decode error - repeated field "hints" had too many elements')
              }

              obj.hints.push(Hint.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.hints$
              }))
              break
            }
            case 7: {
              obj.caughtUp = reader.bool()
              break
            }
            case 9: {
              if (opts.limits?.delegations != null && obj.delegations.length === opts.limits.delegations) {
                throw new MaxLengthError('Decode error - repeated field "delegations" had too many elements')
              }

              obj.delegations.push(reader.bytes())
              break
            }
            case 8: {
              if (opts.limits?.revokes != null && obj.revokes.length === opts.limits.revokes) {
                throw new MaxLengthError('Decode error - repeated field "revokes" had too many elements')
              }

              obj.revokes.push(reader.bytes())
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
          entries: 0,
          records: 0,
          hints: 0,
          delegations: 0,
          revokes: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield * SyncStart.codec().stream(reader, reader.uint32(), `${prefix}.start`, {
                limits: opts.limits?.start
              })

              break
            }
            case 2: {
              if (opts.limits?.entries != null && obj.entries === opts.limits.entries) {
                throw new MaxLengthError('Streaming decode error - repeated field "entries" had too many elements')
              }

              yield {
                field: `${prefix}.entries[]`,
                index: obj.entries,
                value: reader.bytes()
              }

              obj.entries++

              break
            }
            case 3: {
              yield {
                field: `${prefix}.checkpoint`,
                value: reader.bytes()
              }
              break
            }
            case 4: {
              if (opts.limits?.records != null && obj.records === opts.limits.records) {
                throw new MaxLengthError('Streaming decode error - repeated field "records" had too many elements')
              }

              yield {
                field: `${prefix}.records[]`,
                index: obj.records,
                value: reader.bytes()
              }

              obj.records++

              break
            }
            case 5: {
              yield * Cursor.codec().stream(reader, reader.uint32(), `${prefix}.cursor`, {
                limits: opts.limits?.cursor
              })

              break
            }
            case 6: {
              if (opts.limits?.hints != null && obj.hints === opts.limits.hints) {
                throw new MaxLengthError('Streaming decode error - repeated field "hints" had too many elements')
              }

              for (const evt of Hint.codec().stream(reader, reader.uint32(), `${prefix}.hints[]`, {
                limits: opts.limits?.hints$
              })) {
                yield {
                  ...evt,
                  index: obj.hints
                }
              }

              obj.hints++

              break
            }
            case 7: {
              yield {
                field: `${prefix}.caughtUp`,
                value: reader.bool()
              }
              break
            }
            case 9: {
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
            case 8: {
              if (opts.limits?.revokes != null && obj.revokes === opts.limits.revokes) {
                throw new MaxLengthError('Streaming decode error - repeated field "revokes" had too many elements')
              }

              yield {
                field: `${prefix}.revokes[]`,
                index: obj.revokes,
                value: reader.bytes()
              }

              obj.revokes++

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

  export interface SyncFrameStartStatusFieldEvent {
    field: '$.start.status'
    value: number
  }

  export interface SyncFrameStartModeFieldEvent {
    field: '$.start.mode'
    value: number
  }

  export interface SyncFrameStartReplicaAgeMsFieldEvent {
    field: '$.start.replicaAgeMs'
    value: number
  }

  export interface SyncFrameStartRetryAfterMsFieldEvent {
    field: '$.start.retryAfterMs'
    value: number
  }

  export interface SyncFrameEntriesFieldEvent {
    field: '$.entries[]'
    index: number
    value: Uint8Array
  }

  export interface SyncFrameCheckpointFieldEvent {
    field: '$.checkpoint'
    value: Uint8Array
  }

  export interface SyncFrameRecordsFieldEvent {
    field: '$.records[]'
    index: number
    value: Uint8Array
  }

  export interface SyncFrameCursorStoreFieldEvent {
    field: '$.cursor.store'
    value: Uint8Array
  }

  export interface SyncFrameCursorChangeFieldEvent {
    field: '$.cursor.change'
    value: number
  }

  export interface SyncFrameHintsPublicKeyFieldEvent {
    field: '$.hints[].publicKey'
    value: Uint8Array
    index: number
  }

  export interface SyncFrameHintsSourceFieldEvent {
    field: '$.hints[].source'
    value: Uint8Array
    index: number
  }

  export interface SyncFrameHintsHeardMsFieldEvent {
    field: '$.hints[].heardMs'
    value: number
    index: number
  }

  export interface SyncFrameHintsStateFieldEvent {
    field: '$.hints[].state'
    value: number
    index: number
  }

  export interface SyncFrameHintsSinceMsFieldEvent {
    field: '$.hints[].sinceMs'
    value: number
    index: number
  }

  export interface SyncFrameHintsReasonFieldEvent {
    field: '$.hints[].reason'
    value: string
    index: number
  }

  export interface SyncFrameHintsRttMsFieldEvent {
    field: '$.hints[].rttMs'
    value: number
    index: number
  }

  export interface SyncFrameHintsConnectedFieldEvent {
    field: '$.hints[].connected[]'
    index: number
    value: Uint8Array
  }

  export interface SyncFrameCaughtUpFieldEvent {
    field: '$.caughtUp'
    value: boolean
  }

  export interface SyncFrameDelegationsFieldEvent {
    field: '$.delegations[]'
    index: number
    value: Uint8Array
  }

  export interface SyncFrameRevokesFieldEvent {
    field: '$.revokes[]'
    index: number
    value: Uint8Array
  }

  export function encode (obj: Partial<SyncFrame>): Uint8Array {
    return encodeMessage(obj, SyncFrame.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<SyncFrame>): SyncFrame {
    return decodeMessage(buf, SyncFrame.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<SyncFrame>): Generator<SyncFrameStartStatusFieldEvent | SyncFrameStartModeFieldEvent | SyncFrameStartReplicaAgeMsFieldEvent | SyncFrameStartRetryAfterMsFieldEvent | SyncFrameEntriesFieldEvent | SyncFrameCheckpointFieldEvent | SyncFrameRecordsFieldEvent | SyncFrameCursorStoreFieldEvent | SyncFrameCursorChangeFieldEvent | SyncFrameHintsPublicKeyFieldEvent | SyncFrameHintsSourceFieldEvent | SyncFrameHintsHeardMsFieldEvent | SyncFrameHintsStateFieldEvent | SyncFrameHintsSinceMsFieldEvent | SyncFrameHintsReasonFieldEvent | SyncFrameHintsRttMsFieldEvent | SyncFrameHintsConnectedFieldEvent | SyncFrameCaughtUpFieldEvent | SyncFrameDelegationsFieldEvent | SyncFrameRevokesFieldEvent> {
    return streamMessage(buf, SyncFrame.codec(), opts)
  }
}

export interface SyncStart {
  status: number
  mode: number
  replicaAgeMs: number
  retryAfterMs: number
}

export namespace SyncStart {
  let _codec: Codec<SyncStart>

  export const codec = (): Codec<SyncStart> => {
    if (_codec == null) {
      _codec = message<SyncStart>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.status != null && obj.status !== 0)) {
          w.uint32(8)
          w.uint32(obj.status)
        }

        if ((obj.mode != null && obj.mode !== 0)) {
          w.uint32(16)
          w.uint32(obj.mode)
        }

        if ((obj.replicaAgeMs != null && obj.replicaAgeMs !== 0)) {
          w.uint32(24)
          w.uint64Number(obj.replicaAgeMs)
        }

        if ((obj.retryAfterMs != null && obj.retryAfterMs !== 0)) {
          w.uint32(32)
          w.uint64Number(obj.retryAfterMs)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          status: 0,
          mode: 0,
          replicaAgeMs: 0,
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
              obj.mode = reader.uint32()
              break
            }
            case 3: {
              obj.replicaAgeMs = reader.uint64Number()
              break
            }
            case 4: {
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
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.status`,
                value: reader.uint32()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.mode`,
                value: reader.uint32()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.replicaAgeMs`,
                value: reader.uint64Number()
              }
              break
            }
            case 4: {
              yield {
                field: `${prefix}.retryAfterMs`,
                value: reader.uint64Number()
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

  export interface SyncStartStatusFieldEvent {
    field: '$.status'
    value: number
  }

  export interface SyncStartModeFieldEvent {
    field: '$.mode'
    value: number
  }

  export interface SyncStartReplicaAgeMsFieldEvent {
    field: '$.replicaAgeMs'
    value: number
  }

  export interface SyncStartRetryAfterMsFieldEvent {
    field: '$.retryAfterMs'
    value: number
  }

  export function encode (obj: Partial<SyncStart>): Uint8Array {
    return encodeMessage(obj, SyncStart.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<SyncStart>): SyncStart {
    return decodeMessage(buf, SyncStart.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<SyncStart>): Generator<SyncStartStatusFieldEvent | SyncStartModeFieldEvent | SyncStartReplicaAgeMsFieldEvent | SyncStartRetryAfterMsFieldEvent> {
    return streamMessage(buf, SyncStart.codec(), opts)
  }
}

export interface Hint {
  publicKey: Uint8Array
  source: Uint8Array
  heardMs: number
  state: number
  sinceMs: number
  reason: string
  rttMs: number
  connected: Uint8Array[]
}

export namespace Hint {
  let _codec: Codec<Hint>

  export const codec = (): Codec<Hint> => {
    if (_codec == null) {
      _codec = message<Hint>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.publicKey != null && obj.publicKey.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.publicKey)
        }

        if ((obj.source != null && obj.source.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.source)
        }

        if ((obj.heardMs != null && obj.heardMs !== 0)) {
          w.uint32(24)
          w.uint64Number(obj.heardMs)
        }

        if ((obj.state != null && obj.state !== 0)) {
          w.uint32(32)
          w.uint32(obj.state)
        }

        if ((obj.sinceMs != null && obj.sinceMs !== 0)) {
          w.uint32(40)
          w.uint64Number(obj.sinceMs)
        }

        if ((obj.reason != null && obj.reason !== '')) {
          w.uint32(50)
          w.string(obj.reason)
        }

        if ((obj.rttMs != null && obj.rttMs !== 0)) {
          w.uint32(56)
          w.uint32(obj.rttMs)
        }

        if (obj.connected != null && obj.connected.length > 0) {
          for (const value of obj.connected) {
            w.uint32(66)
            w.bytes(value)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          publicKey: uint8ArrayAlloc(0),
          source: uint8ArrayAlloc(0),
          heardMs: 0,
          state: 0,
          sinceMs: 0,
          reason: '',
          rttMs: 0,
          connected: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.publicKey = reader.bytes()
              break
            }
            case 2: {
              obj.source = reader.bytes()
              break
            }
            case 3: {
              obj.heardMs = reader.uint64Number()
              break
            }
            case 4: {
              obj.state = reader.uint32()
              break
            }
            case 5: {
              obj.sinceMs = reader.uint64Number()
              break
            }
            case 6: {
              obj.reason = reader.string()
              break
            }
            case 7: {
              obj.rttMs = reader.uint32()
              break
            }
            case 8: {
              if (opts.limits?.connected != null && obj.connected.length === opts.limits.connected) {
                throw new MaxLengthError('Decode error - repeated field "connected" had too many elements')
              }

              obj.connected.push(reader.bytes())
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
          connected: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.publicKey`,
                value: reader.bytes()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.source`,
                value: reader.bytes()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.heardMs`,
                value: reader.uint64Number()
              }
              break
            }
            case 4: {
              yield {
                field: `${prefix}.state`,
                value: reader.uint32()
              }
              break
            }
            case 5: {
              yield {
                field: `${prefix}.sinceMs`,
                value: reader.uint64Number()
              }
              break
            }
            case 6: {
              yield {
                field: `${prefix}.reason`,
                value: reader.string()
              }
              break
            }
            case 7: {
              yield {
                field: `${prefix}.rttMs`,
                value: reader.uint32()
              }
              break
            }
            case 8: {
              if (opts.limits?.connected != null && obj.connected === opts.limits.connected) {
                throw new MaxLengthError('Streaming decode error - repeated field "connected" had too many elements')
              }

              yield {
                field: `${prefix}.connected[]`,
                index: obj.connected,
                value: reader.bytes()
              }

              obj.connected++

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

  export interface HintPublicKeyFieldEvent {
    field: '$.publicKey'
    value: Uint8Array
  }

  export interface HintSourceFieldEvent {
    field: '$.source'
    value: Uint8Array
  }

  export interface HintHeardMsFieldEvent {
    field: '$.heardMs'
    value: number
  }

  export interface HintStateFieldEvent {
    field: '$.state'
    value: number
  }

  export interface HintSinceMsFieldEvent {
    field: '$.sinceMs'
    value: number
  }

  export interface HintReasonFieldEvent {
    field: '$.reason'
    value: string
  }

  export interface HintRttMsFieldEvent {
    field: '$.rttMs'
    value: number
  }

  export interface HintConnectedFieldEvent {
    field: '$.connected[]'
    index: number
    value: Uint8Array
  }

  export function encode (obj: Partial<Hint>): Uint8Array {
    return encodeMessage(obj, Hint.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Hint>): Hint {
    return decodeMessage(buf, Hint.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Hint>): Generator<HintPublicKeyFieldEvent | HintSourceFieldEvent | HintHeardMsFieldEvent | HintStateFieldEvent | HintSinceMsFieldEvent | HintReasonFieldEvent | HintRttMsFieldEvent | HintConnectedFieldEvent> {
    return streamMessage(buf, Hint.codec(), opts)
  }
}
