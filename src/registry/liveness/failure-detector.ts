import { equals } from 'uint8arrays/equals'
import { keyId } from '../../identity/key-id.ts'
import type { Hint, Observation } from './observation.ts'
import type { Board, BoardInit, MergeOptions } from './observations.ts'
import { isUp } from './states.ts'
import { pulseMs, silentMs } from './timings.ts'

interface Pulse {
  readonly hint: Hint
  /** Monotonic, when the source said so. */
  readonly saidAt: number
  /** The same in attention time. */
  readonly at: number
  silent: boolean
}

const pulsePrefix = 'pulse '

export interface SourcesInit extends BoardInit {
  /** Members of the network. */
  readonly members: () => number
  readonly isRegistry: (publicKey: Uint8Array) => boolean
  /** There is a pulse to be told. */
  readonly onPulse: () => void
}

/**
 * Whether the registries that speak for members are heard themselves. Each says every now and then that it is there (a pulse), and whoever
 * passes its hints on passes that on too, with its age. Nobody but the source renews it: two registries that vouch for each other behind
 * a cut cannot keep each other alive for those on this side.
 */
export class Sources {
  readonly #init: SourcesInit
  readonly #board: Board
  readonly #pulses = new Map<string, Pulse>()
  #toldAt: number

  constructor(init: SourcesInit, board: Board) {
    this.#init = init
    this.#board = board
    this.#toldAt = init.now()
  }

  merge(hint: Hint, options?: MergeOptions): boolean {
    const { publicKey, source, state } = hint
    if (!equals(publicKey, source) || equals(source, this.#init.self)) return this.#board.merge(hint, options)
    if (state !== 'online') {
      // Somebody who lost it says `unknown`; its end it says itself.
      if (state !== 'unknown') this.#pulses.delete(keyId(source))
      return this.#board.merge(hint, options)
    }
    const shown = this.#board.get(publicKey)?.shown
    this.#heard(hint)
    if (shown === undefined || !this.#isOutdated(hint, shown, options)) return this.#board.merge(hint, options)
    return false
  }

  /** It answers here: from now on it is waited for as for one that was just heard. */
  up(source: Uint8Array): void {
    const id = keyId(source)
    const pulse = this.#pulses.get(id)
    if (pulse !== undefined)
      this.#pulses.set(id, { ...pulse, at: this.#init.attention.at(this.#init.now()), silent: false })
    this.#board.unmute(source)
  }

  /** Whether the one that is shown knows more of a source than the source's own word. */
  #isOutdated({ heardMs = 0 }: Hint, shown: Observation, { firstHand = false }: MergeOptions = {}): boolean {
    // Who holds its lease hears more of it.
    if (isUp(shown.state)) return true
    if (shown.state === 'unknown') return false
    // Its last word may still be passed on when it was seen to be down.
    const onItsWayMs = firstHand ? 0 : pulseMs(this.#init.timings, this.#init.members())
    return this.#init.now() - heardMs < shown.since + onItsWayMs
  }

  /** Looks at every source. `leaving`: this one says nothing any more. `stalled`: what was said meanwhile is still to be read. */
  tick({ leaving, stalled }: { leaving: boolean; stalled: boolean }): void {
    const now = this.#init.now()
    const members = this.#init.members()
    if (!leaving && now - this.#toldAt >= pulseMs(this.#init.timings, members)) this.#tell(now)
    if (stalled) return
    const at = this.#init.attention.at(now)
    const patienceMs = silentMs(this.#init.timings, members)
    for (const pulse of this.#pulses.values()) {
      if (pulse.silent || at - pulse.at < patienceMs) continue
      pulse.silent = true
      const seconds = Math.round((at - pulse.at) / 1000)
      const reason = `the registry that spoke for it was not heard for ${seconds} s`
      const { source } = pulse.hint
      this.#board.mute(source, reason, this.#init.isRegistry(source) ? pulse.saidAt : undefined)
    }
  }

  /** What is told of a source at its place in the log of changes; undefined: that place is no pulse. */
  hintAt(id: string): Hint | undefined {
    if (!id.startsWith(pulsePrefix)) return undefined
    const pulse = this.#pulses.get(id.slice(pulsePrefix.length))
    if (pulse === undefined) return undefined
    const ageMs = this.#init.now() - pulse.saidAt
    return { ...pulse.hint, heardMs: ageMs, sinceMs: pulse.hint.sinceMs + ageMs }
  }

  forget(publicKey: Uint8Array): void {
    const id = keyId(publicKey)
    this.#pulses.delete(id)
    this.#board.log.delete(pulsePrefix + id)
  }

  #tell(now: number): void {
    this.#toldAt = now
    this.#board.log.touch(keyId(this.#init.self))
    this.#init.onPulse()
  }

  #heard(hint: Hint): void {
    const { source, heardMs } = hint
    if (heardMs === undefined || !(heardMs >= 0)) return
    const id = keyId(source)
    const now = this.#init.now()
    const saidAt = now - heardMs
    const before = this.#pulses.get(id)
    // One that took another way is no news.
    if (before !== undefined && saidAt - before.saidAt < pulseMs(this.#init.timings, this.#init.members()) / 2) return
    const at = this.#init.attention.at(now) - heardMs
    const said = { hint: { ...hint, sinceMs: hint.sinceMs - heardMs }, saidAt, at }
    const isLate = heardMs >= silentMs(this.#init.timings, this.#init.members())
    this.#pulses.set(id, { ...said, silent: isLate && before?.silent === true })
    if (!isLate) this.#board.unmute(source, now - hint.sinceMs)
    this.#board.log.touch(pulsePrefix + id)
    this.#init.onPulse()
  }
}
