import type { Machine } from './machine.ts'
import type { World } from './world.ts'

export interface Weather {
  /** Share of messages that are lost, and of datagrams that come twice. */
  loss: number
  duplication: number
  /** Longest delay, ms. */
  delayMs: number
}

export const goodWeather: Weather = { loss: 0, duplication: 0, delayMs: 5 }

/** Carries messages between machines: late, twice, in another order, or not at all. */
export class Network {
  readonly #world: World
  weather: Weather = goodWeather
  #island = new Set<Machine>()

  constructor(world: World) {
    this.#world = world
  }

  /** Nothing passes between these machines and the others, in any direction. */
  cut(island: Iterable<Machine>): void {
    this.#island = new Set(island)
  }

  /** One message of a stream: it comes once, or `onLost` is told. */
  send(from: Machine | undefined, to: Machine, deliver: () => void, onLost: () => void): void {
    const { random } = this.#world
    const isLost = random.chance(this.weather.loss)
    this.#world.after(random.below(this.weather.delayMs) + 1, () => {
      // Judged at the end of the way: what is on it when the cable is cut does not come.
      const isCut = from !== undefined && this.#island.has(from) !== this.#island.has(to)
      if (isLost || isCut || to.process === undefined) onLost()
      else deliver()
    })
  }

  /** A message that nobody misses: it comes not at all, once or twice. */
  spread(from: Machine, to: Machine, deliver: () => void): void {
    const copies = this.#world.random.chance(this.weather.duplication) ? 2 : 1
    for (let copy = 0; copy < copies; copy++) this.send(from, to, deliver, () => {})
  }
}
