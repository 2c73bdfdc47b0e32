import { once } from 'node:events'
import { createServer, connect as dial, type Server, type Socket } from 'node:net'
import { inBackground } from '../../runtime/background.ts'
import type { DevMember } from './layout.ts'
import { sourceOf } from './source-of.ts'

/** One connection from a member to another one. */
interface Pair {
  readonly from: string | undefined
  readonly to: string
  readonly near: Socket
  far: Socket | undefined
}

const host = '::1'

type RelayedMember = Pick<DevMember, 'announcedPort'>
/** Target that a dialler is led to. */
export type RelayTarget = Pick<DevMember, 'name' | 'port'>
type Target = (from: string | undefined) => RelayTarget

/**
 * Stands before each member of a network on one machine and can cut it in two, like a cable that is pulled: what was sent is not delivered
 * and nobody is told. Who dials is found by the process that owns the socket.
 */
export class Relays implements AsyncDisposable {
  readonly #pids: () => ReadonlyMap<string, number>
  readonly #servers: Server[] = []
  readonly #pairs = new Set<Pair>()
  #sides: readonly (readonly string[])[] = []

  constructor(pids: () => ReadonlyMap<string, number>) {
    this.#pids = pids
  }

  /** Listens where a member is found. `target`: who that is for a dialler. */
  async add({ announcedPort }: RelayedMember, target: Target): Promise<void> {
    const server = createServer({ pauseOnConnect: true }, (near) =>
      inBackground(this.#accept(target, near), 'relaying a connection')
    )
    server.listen({ host, port: announcedPort, ipv6Only: true })
    await once(server, 'listening')
    this.#servers.push(server)
  }

  /** From now on members of different sides do not hear each other. What was held between others is delivered, as TCP does when a cable is plugged in again. */
  cut(sides: readonly (readonly string[])[]): void {
    const held = [...this.#pairs].filter((pair) => this.#isApart(pair))
    this.#sides = sides
    for (const pair of this.#pairs) if (this.#isApart(pair)) hold(pair)
    for (const pair of held) if (!this.#isApart(pair)) join(pair)
  }

  heal(): void {
    this.cut([])
  }

  /** Ends the connections to a member: a new one may lead elsewhere. */
  drop(name: string): void {
    for (const pair of this.#pairs) if (pair.to === name) pair.near.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { near, far } of this.#pairs) {
      near.destroy()
      far?.destroy()
    }
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))))
  }

  async #accept(target: Target, near: Socket): Promise<void> {
    const from = await sourceOf(near, this.#pids())
    const { name: to, port } = target(from)
    const pair: Pair = { from, to, near, far: undefined }
    this.#pairs.add(pair)
    const far = dial({ host, port })
    pair.far = far
    for (const [socket, other] of [
      [near, far],
      [far, near]
    ] as const) {
      // The other side hears of it by the close that follows.
      socket.on('error', () => {})
      socket.on('close', () => this.#closed(pair, other))
    }
    if (!this.#isApart(pair)) join(pair)
  }

  #closed(pair: Pair, other: Socket): void {
    if (this.#isApart(pair)) return
    this.#pairs.delete(pair)
    other.destroy()
  }

  #isApart({ from, to }: Pair): boolean {
    const sideOf = (name: string | undefined): number =>
      this.#sides.findIndex((side) => side.some((each) => each === name))
    return this.#sides.length > 0 && sideOf(from) !== sideOf(to)
  }
}

function join({ near, far }: Pair): void {
  if (far === undefined) return
  if (near.destroyed || far.destroyed) {
    near.destroy()
    far.destroy()
    return
  }
  near.pipe(far)
  far.pipe(near)
}

function hold({ near, far }: Pair): void {
  for (const socket of [near, far]) {
    socket?.unpipe()
    socket?.pause()
  }
}
