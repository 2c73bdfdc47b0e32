import type { MultiaddrConnection } from '@libp2p/interface'
import type { Culprits } from '../../protocols/engine/culprits.ts'
import { InboundLimitError } from '../errors.ts'
import { netOfConnection } from './inbound-limits.ts'

/** Noise and two agreements on a protocol take less than 1 KiB; the first streams may come right behind. */
const mostBytes = 8_192
/** Bytes that agree on Noise: all that comes behind them has to be calculated with. */
const agreementBytes = 28

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

  /** `wait` calls back when it is the turn of this connection to be calculated for; absent: at once. */
  watch(connection: MultiaddrConnection, wait?: (go: () => void) => void): void {
    const onData: unknown = Reflect.get(connection, 'onData')
    if (typeof onData !== 'function') return
    let bytes = 0
    let held: unknown[] | undefined
    let waits = wait
    const pass = (data: unknown): unknown => Reflect.apply(onData, connection, [data])
    const go = (): void => {
      const all = held ?? []
      held = undefined
      for (const data of all) if (connection.status === 'open') pass(data)
    }
    const bounded = (data: { readonly byteLength: number }): void => {
      bytes += data.byteLength
      if (bytes <= mostBytes) {
        if (held !== undefined) held.push(data)
        else if (bytes <= agreementBytes || waits === undefined) pass(data)
        else {
          held = [data]
          waits(go)
          waits = undefined
        }
      } else if (connection.status === 'open') {
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
