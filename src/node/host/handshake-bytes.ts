import type { MultiaddrConnection } from '@libp2p/interface'
import type { Culprits } from '../../protocols/engine/culprits.ts'
import { InboundLimitError } from '../errors.ts'
import { netOfConnection } from './inbound-limits.ts'

/** Noise and two agreements on a protocol take less than 1 KiB; the first streams may come right behind. */
const mostBytes = 8_192

/**
 * Bounds what a connection sends before its key is proven: multistream-select answers every line that it is sent, for as long as it is
 * sent any, and yields to nobody meanwhile.
 */
export class HandshakeBytes {
  readonly #culprits: Culprits | undefined
  /** Puts the connection back as it was. */
  readonly #ends = new WeakMap<MultiaddrConnection, () => void>()

  constructor(culprits: Culprits | undefined) {
    this.#culprits = culprits
  }

  watch(connection: MultiaddrConnection): void {
    const onData: unknown = Reflect.get(connection, 'onData')
    if (typeof onData !== 'function') return
    let bytes = 0
    const bounded = (data: { readonly byteLength: number }): void => {
      bytes += data.byteLength
      if (bytes <= mostBytes) Reflect.apply(onData, connection, [data])
      else if (connection.status === 'open') {
        this.#culprits?.exceeded('limits.handshakeBytes', { address: netOfConnection(connection) })
        connection.abort(new InboundLimitError(`its handshake is longer than ${mostBytes} bytes`))
      }
    }
    Reflect.set(connection, 'onData', bounded)
    this.#ends.set(connection, () => Reflect.set(connection, 'onData', onData))
  }

  finished(connection: MultiaddrConnection): void {
    this.#ends.get(connection)?.()
    this.#ends.delete(connection)
  }
}
