import type { Connection, Stream } from '@libp2p/interface'

export const flags = { syn: 1, fin: 4, rst: 8 } as const
export const types = { data: 0, windowUpdate: 1, ping: 2 } as const

export interface Header {
  readonly type: number
  readonly flag: number
  readonly streamID: number
  readonly length: number
}

/** yamux below libp2p's connection: what an attacker speaks who writes frames by hand. */
export interface Muxer extends EventTarget {
  readonly nextStreamID: number
  createStream(): Promise<Stream>
  sendFrame(header: Header, data?: Uint8Array): boolean
}

export const muxerOf = (connection: Connection): Muxer => {
  const muxer: unknown = Reflect.get(connection, 'muxer')
  if (typeof muxer !== 'object' || muxer === null) throw new Error('no muxer')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- libp2p's connections have one, and say so to nobody
  return muxer as Muxer
}

/** Sends until the connection is closed or so many were sent; gives how many were. */
export async function floodOf(connection: Connection, most: number, send: (index: number) => void): Promise<number> {
  let sent = 0
  while (sent < most && connection.status === 'open') {
    send(sent++)
    if (sent % 256 === 0) await new Promise(setImmediate)
  }
  return sent
}

/** Resolves when the connection is closed. */
export const closeOf = async (connection: Connection): Promise<void> => {
  if (connection.status !== 'open') return
  await new Promise((resolve) => connection.addEventListener('close', resolve, { once: true }))
}
