import type { Connection } from '@libp2p/interface'

interface Header {
  readonly type: number
  readonly flag: number
  readonly streamID: number
  readonly length: number
}

const data = 0
const windowUpdate = 1
const ping = 2
const syn = 1
const rst = 8

/** yamux frames written by hand on the connection. */
export const framesOf = (connection: Connection) => {
  const muxer: unknown = Reflect.get(connection, 'muxer')
  if (typeof muxer !== 'object' || muxer === null) throw new Error('no muxer')
  const sendFrame: unknown = Reflect.get(muxer, 'sendFrame')
  if (typeof sendFrame !== 'function') throw new Error('no muxer of yamux')
  // Answers to pings that nobody asked for are no error to whoever floods.
  Reflect.set(muxer, 'handlePing', () => {})
  const none = new Uint8Array()
  const send = (header: Header): unknown =>
    Reflect.apply(sendFrame, muxer, header.type === data ? [header, none] : [header])
  const nextId = (): number => {
    const streamID = Number(Reflect.get(muxer, 'nextStreamID'))
    Reflect.set(muxer, 'nextStreamID', streamID + 2)
    return streamID
  }
  return {
    openAndReset: (): void => {
      const streamID = nextId()
      send({ type: windowUpdate, flag: syn, streamID, length: 0 })
      send({ type: windowUpdate, flag: rst, streamID, length: 0 })
    },
    /** A data frame without data, and a window that grows by nothing, on a stream that is there. */
    emptyFrames: (streamID: number): void => {
      send({ type: data, flag: 0, streamID, length: 0 })
      send({ type: windowUpdate, flag: 0, streamID, length: 0 })
    },
    pingAndUpdate: (): void => {
      send({ type: ping, flag: syn, streamID: 0, length: 7 })
      send({ type: windowUpdate, flag: 0, streamID: nextId(), length: 1 })
    }
  }
}
