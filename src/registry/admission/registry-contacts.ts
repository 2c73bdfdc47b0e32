import { keyId } from '../../identity/key-id.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { clockSkewMs } from './limits.ts'

/** A time in which a registry could not ask this root; without an end it still cannot. */
interface Absence {
  readonly fromMs: number
  untilMs: number | undefined
  /** Connections that are there now. */
  connections: number
}

/** On its way from the first registry to a root that is there, a join takes less. */
const freshMs = 60_000
/** After the root is back, a registry brings its whole queue within less. */
const replayMs = 10 * 60_000

/**
 * When each registry was in touch with this root, as the root itself saw it. A receipt counts for a time in which its registry could not
 * ask, and only when it is brought as soon as it can: a registry that was there all the time cannot date a join back.
 */
export class RegistryContacts {
  readonly #clock: Clock
  /** Since when nobody could ask, as long as a registry was not met in this process. */
  readonly #awayMs: number
  readonly #absences = new Map<string, Absence>()

  constructor(clock: Clock, awayMs: number) {
    this.#clock = clock
    this.#awayMs = awayMs
  }

  /** A connection with the registry has proved its key. */
  met(publicKey: Uint8Array): void {
    const key = keyId(publicKey)
    const absence = this.#absences.get(key) ?? { fromMs: this.#awayMs, untilMs: undefined, connections: 0 }
    absence.untilMs ??= this.#clock.now()
    absence.connections++
    this.#absences.set(key, absence)
  }

  /** One of its connections is gone. */
  parted(publicKey: Uint8Array): void {
    const key = keyId(publicKey)
    const absence = this.#absences.get(key)
    if (absence === undefined || absence.connections === 0 || --absence.connections > 0) return
    this.#absences.set(key, { fromMs: this.#clock.now(), untilMs: undefined, connections: 0 })
  }

  /** Tells whether a receipt that the registry brings now may say that it took a join in at that time. */
  mayDate(publicKey: Uint8Array, timeMs: number): boolean {
    const now = this.#clock.now()
    if (now - timeMs <= freshMs) return true
    const { fromMs, untilMs } = this.#absences.get(keyId(publicKey)) ?? { fromMs: this.#awayMs, untilMs: undefined }
    const isBrought = untilMs === undefined || now - untilMs <= replayMs
    return isBrought && timeMs >= fromMs - clockSkewMs
  }
}
