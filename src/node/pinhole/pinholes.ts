import { formatIp6, parseIp6 } from '../../address/ipv6.ts'
import { sha256 } from '../../identity/hash.ts'
import { type Clock, type Logger, momentOf } from '../../runtime/clock-and-logger.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import type { Router } from './default-router.ts'
import { askRouter } from './pcp-client.ts'
import { type MapAnswer, nonceBytes } from './pcp-messages.ts'
import { RouterEpochs } from './router-epochs.ts'

/** A port of an address of this machine, and the router in front of it. */
export interface Target {
  readonly address: string
  readonly port: number
  readonly router: Router
}

/** `silent`: the router does not speak PCP, as most that filter nothing. */
export const pinholeStates = ['open', 'refused', 'silent'] as const
export type PinholeState = (typeof pinholeStates)[number]

/** Word of a router about one address. */
export interface Pinhole extends Target {
  readonly state: PinholeState
  /** Reason of a refusal or a silence. */
  readonly message: string | null
  /** An open one ends at this moment, unless it is renewed: the router counts on while this machine sleeps. */
  readonly untilAt: number
}

export interface PinholesInit {
  /** Addresses that others are to reach, at most 8. */
  targets: () => Promise<readonly Target[]>
  /** Nobody else knows it; the same one after a restart. */
  secret: Uint8Array
  clock: Clock
  logger: Logger
  ask?: typeof askRouter
}

const lifetimeSeconds = 3_600
/** A router may say anything up to 136 years; an hour is asked for. */
const maxLifetimeMs = 86_400_000
/** Pauses between two requests for one address. */
const leastMs = 60_000
const silentMs = { first: 60_000, most: 1_024_000 }
const refusedMs = { least: 300_000, most: 3_600_000 }
/** All machines behind a router that began anew hear of it in the same moment. */
const spreadMs = 5_000
/** A stop waits no longer for routers. */
const closeMs = 1_000

interface Held {
  pinhole: Pinhole
  dueAt: number
  /** Requests without an answer, one after the other. */
  silences: number
}

/** Pinholes in the firewall of the router: asked for, renewed, asked for anew when the router has forgotten them, closed at the end. */
export class Pinholes {
  readonly #init: PinholesInit
  readonly #epochs: RouterEpochs
  #held = new Map<string, Held>()

  constructor(init: PinholesInit) {
    this.#init = init
    this.#epochs = new RouterEpochs(init.clock)
  }

  get all(): Pinhole[] {
    return [...this.#held.values()].map(({ pinhole }) => pinhole)
  }

  /** Asks for what is due. Gives the ms until something is again; undefined: nothing is wanted. Never fails but by its signal. */
  async round(signal: AbortSignal): Promise<number | undefined> {
    const { clock, targets } = this.#init
    this.#follow(await targets())
    const due = [...this.#held.values()].filter(({ dueAt }) => dueAt <= momentOf(clock))
    await Promise.all(due.map((held) => this.#ask(held, signal)))
    const next = [...this.#held.values()].map(({ dueAt }) => dueAt)
    return next.length === 0 ? undefined : Math.max(0, Math.min(...next) - momentOf(clock))
  }

  /** Takes what a router says unasked. true: its pinholes are due soon. */
  heard(router: string, epochSeconds: number): boolean {
    if (this.all.every((each) => each.router.address !== router)) return false
    return this.#tell(router, epochSeconds)
  }

  /** Closes what is open. */
  async close(): Promise<void> {
    const open = this.all.filter(({ state }) => state === 'open')
    this.#held = new Map()
    const signal = AbortSignal.timeout(closeMs)
    await Promise.all(open.map((pinhole) => this.#send(pinhole, 0, signal).catch(() => undefined)))
  }

  /** Takes what is wanted now. The rest ends by itself: its address may be gone, and nothing is sent from it. */
  #follow(targets: readonly Target[]): void {
    const { clock } = this.#init
    const before = this.#held
    this.#held = new Map(
      targets.map((target): [string, Held] => {
        const key = [target.address, target.port, target.router.address].join(' ')
        const pinhole = { ...target, state: 'silent' as const, message: null, untilAt: 0 }
        return [key, before.get(key) ?? { pinhole, dueAt: momentOf(clock), silences: 0 }]
      })
    )
    this.#epochs.keep(new Set(targets.map(({ router }) => router.address)))
  }

  async #ask(held: Held, signal: AbortSignal): Promise<void> {
    const { pinhole } = held
    try {
      const answer = await this.#send(pinhole, lifetimeSeconds, signal)
      held.silences = 0
      this.#tell(pinhole.router.address, answer.epochSeconds)
      this.#take(held, answer)
    } catch (error) {
      if (signal.aborted) throw error
      this.#silent(held, reasonOf(error))
    }
  }

  #take(held: Held, answer: MapAnswer): void {
    const { clock } = this.#init
    const now = momentOf(clock)
    const refusal = this.#refusalOf(held.pinhole, answer)
    const lifetimeMs = Math.min(answer.lifetimeSeconds * 1_000, maxLifetimeMs)
    if (refusal === undefined) {
      held.dueAt = now + Math.max(leastMs, lifetimeMs / 2)
      this.#turn(held, { state: 'open', message: null, untilAt: now + lifetimeMs })
    } else {
      held.dueAt = now + Math.min(Math.max(lifetimeMs, refusedMs.least), refusedMs.most)
      this.#turn(held, { state: 'refused', message: refusal, untilAt: 0 })
    }
  }

  #refusalOf({ address, port }: Target, answer: MapAnswer): string | undefined {
    if (answer.refusal !== undefined) return answer.refusal
    if (answer.lifetimeSeconds === 0) return 'it opens it for no time'
    const offered = formatIp6(answer.address)
    // Another address is not this node's, whatever the router says: nobody is sent there.
    return offered === address && answer.port === port
      ? undefined
      : `it offers [${offered}]:${answer.port}, which is none of this node`
  }

  #silent(held: Held, message: string): void {
    const { clock } = this.#init
    const now = momentOf(clock)
    held.dueAt = now + Math.min(silentMs.first * 2 ** Math.min(held.silences++, 10), silentMs.most)
    const { state, untilAt } = held.pinhole
    const stays = state === 'open' && untilAt > now
    this.#turn(held, stays ? { state, message, untilAt } : { state: 'silent', message, untilAt: 0 })
  }

  #turn(held: Held, change: Pick<Pinhole, 'state' | 'message' | 'untilAt'>): void {
    const { address, port, state, router } = held.pinhole
    held.pinhole = { ...held.pinhole, ...change }
    if (change.state === state) return
    const said = { open: 'lets others in', refused: 'lets nobody in', silent: 'was not asked with success' }[
      change.state
    ]
    const fields = { ipv6_addr: `[${address}]:${port}`, router: router.address, error: change.message ?? undefined }
    this.#init.logger.info(fields, `pinhole: the router ${said}`)
  }

  #tell(router: string, epochSeconds: number): boolean {
    if (!this.#epochs.hasForgotten(router, epochSeconds)) return false
    const soon = momentOf(this.#init.clock) + Math.random() * spreadMs
    for (const held of this.#held.values())
      if (held.pinhole.router.address === router) held.dueAt = Math.min(held.dueAt, soon)
    return true
  }

  async #send({ address, port, router }: Target, seconds: number, signal: AbortSignal): Promise<MapAnswer> {
    const { secret, ask = askRouter } = this.#init
    const bytes = parseIp6(address) ?? new Uint8Array()
    const nonce = sha256(
      Buffer.from([address, port, router.address, Buffer.from(secret).toString('hex')].join(' '))
    ).subarray(0, nonceBytes)
    const request = { address: bytes, port, nonce, lifetimeSeconds: seconds }
    return await ask({ router: router.address, from: address, request, signal })
  }
}
