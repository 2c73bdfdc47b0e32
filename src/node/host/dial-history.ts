import { reasonOf } from '../../runtime/error-message.ts'
import { inWords } from '../../runtime/files/system-error.ts'

/** One dial as it ended. */
export interface Dial {
  /** Wall clock ms at its end. */
  readonly atMs: number
  readonly tookMs: number
  /** undefined: a connection was made. */
  readonly error: string | undefined
  /** Peer that was wanted, or that answered; undefined: nobody in particular. */
  readonly peerId: string | undefined
}

const dialsOfAddress = 8
const mostAddresses = 1024
const mostChars = 200

/** Remembers the last 8 dials of this process to each of 1,024 addresses, those dialled last. */
export class DialHistory {
  readonly #dials = new Map<string, Dial[]>()

  /** `multiaddr` with or without its PeerId. */
  add(multiaddr: string, { error, peerId, ...dial }: Omit<Dial, 'error'> & { error?: unknown }): void {
    const [address = '', wanted] = multiaddr.split('/p2p/')
    const text = error === undefined ? undefined : inWords(reasonOf(error)).slice(0, mostChars)
    const dials = [...(this.#dials.get(address) ?? []), { ...dial, error: text, peerId: wanted ?? peerId }]
    this.#dials.delete(address)
    this.#dials.set(address, dials.slice(-dialsOfAddress))
    const [oldest] = this.#dials.keys()
    if (this.#dials.size > mostAddresses && oldest !== undefined) this.#dials.delete(oldest)
  }

  /** Dials to that peer at an address, and those to whoever is there; the oldest first. */
  of(address: string, peerId: string): Dial[] {
    return (this.#dials.get(address) ?? []).filter((dial) => dial.peerId === undefined || dial.peerId === peerId)
  }
}
