import { decodeFrame } from '../../src/protocols/engine/protocol.ts'
import { Applier } from '../../src/protocols/sync/apply.ts'
import { syncModes, syncVersion } from '../../src/protocols/sync/descriptor.ts'
import { toFrames } from '../../src/protocols/sync/frames.ts'
import { SyncFrame, SyncRequest } from '../../src/protocols/sync/pb/sync.ts'
import { readRequest, recordStart } from '../../src/protocols/sync/request.ts'
import { Subscriber } from '../../src/protocols/sync/subscriber.ts'
import type { Head } from '../../src/registry/log/state/network-state.ts'
import { silentLogger } from '../../src/runtime/clock-and-logger.ts'
import type { Life, Machine } from './machine.ts'
import type { Network } from './network.ts'
import type { Random } from './random.ts'

/** Small, so that a few entries make many frames and a stream can break between any two. */
const bounds = { frameBytes: 1500, hints: 8 }

export interface SyncLinkInit {
  network: Network
  random: Random
  client: Machine
  server: Machine
  subscribe: boolean
  /** Share of frames in which a bit is turned. */
  corruption: number
  /** The client found something wrong, or `undefined`: the stream broke. */
  onEnd: (error: unknown, wasCorrupted: boolean) => void
}

/** One sync stream between two machines: the product's reader and writer, and between them the simulated network. */
export class SyncLink {
  readonly #init: SyncLinkInit
  readonly #client: Life
  readonly #applier: Applier
  #server: Life | undefined
  #subscriber: Subscriber | undefined
  #frames: AsyncIterator<Uint8Array> | undefined
  #isSnapshot = false
  #generation = 0
  #isCaughtUp = false
  #isDirty = false
  #isMoving = true
  #asked: Head = { epoch: 0, n: 0, hash: new Uint8Array() }
  #wasCorrupted = false
  #isOver = false

  constructor(init: SyncLinkInit, client: Life) {
    this.#init = init
    this.#client = client
    this.#applier = new Applier(client.target, {
      serverKey: init.server.key.publicKey,
      hears: init.subscribe,
      logger: silentLogger
    })
  }

  static open(init: SyncLinkInit): SyncLink | undefined {
    const { client, network, server } = init
    if (client.process === undefined) return undefined
    const link = new SyncLink(init, client.process)
    const request = link.#request()
    network.send(
      client,
      server,
      () => link.#serve(request),
      () => link.#end()
    )
    return link
  }

  /** False too when one of its ends has died. */
  get isOpen(): boolean {
    return !this.#isOver && this.#client.isAlive && this.#server?.isAlive !== false
  }

  break(): void {
    this.#end()
  }

  #request(): Uint8Array {
    const { registry, cursors } = this.#client
    this.#generation = cursors.generation
    const { replica, records, networkId } = registry
    this.#asked = replica.position()
    const { epoch, n, hash } = this.#asked
    const staged = replica.staged()
    const cursor = cursors.get(this.#init.server.name)
    return SyncRequest.encode({
      version: syncVersion,
      networkId,
      epoch,
      n,
      hash,
      ...(cursor !== undefined && { cursor }),
      digest: cursor === undefined ? records.digest() : new Uint8Array(),
      subscribe: this.#init.subscribe,
      records: true,
      ...(staged !== undefined &&
        staged.upTo >= 0 && { stagedEpoch: staged.epoch, stagedN: staged.n, stagedUpTo: staged.upTo })
    })
  }

  #serve(bytes: Uint8Array): void {
    const { server, client } = this.#init
    const life = server.process
    if (life === undefined) {
      this.#end()
      return
    }
    this.#server = life
    const source = life.registry
    const request = readRequest(bytes, source.networkId)
    const start = recordStart(request, source)
    if (start === undefined) {
      this.#client.cursors.delete(server.name)
      this.#end()
      return
    }
    try {
      const remoteKey = client.key.publicKey
      this.#subscriber = new Subscriber({ source, refreshes: life.refreshes, remoteKey, request, ...start })
    } catch {
      // It has no log yet, so it says UNAVAILABLE.
      this.#end()
      return
    }
    this.#isSnapshot = this.#subscriber.mode === syncModes.snapshot
    this.#frames = toFrames(this.#first(this.#subscriber), bounds)
    this.#listen(life)
    this.#pump()
  }

  async *#first(subscriber: Subscriber) {
    yield* subscriber.start()
    yield* subscriber.records({ pushed: false })
    yield [{ kind: 'caughtUp' } as const]
  }

  async *#more(subscriber: Subscriber) {
    yield* subscriber.log()
    yield* subscriber.records({ pushed: true })
  }

  #listen({ registry }: Life): void {
    if (!this.#init.subscribe) return
    const touch = (): void => {
      this.#isDirty = true
      if (!this.#isMoving) this.#pump()
    }
    for (const type of ['entries', 'checkpoint', 'reset', 'enforced'] as const)
      registry.replica.events.addEventListener(type, touch)
    registry.events.addEventListener('record', touch)
  }

  /** The next frame, when the one before has arrived. */
  #pump(): void {
    const { server } = this.#init
    const frames = this.#frames
    if (this.#isOver || server.process !== this.#server || frames === undefined) {
      this.#end()
      return
    }
    this.#isMoving = true
    server.call(
      () => frames.next(),
      (outcome) => {
        // The history was replaced under the reader, for example: the stream ends, and the next one goes on.
        if (outcome.status === 'rejected') {
          this.#end()
          return
        }
        if (outcome.value.done !== true) {
          this.#send(outcome.value.value)
          return
        }
        this.#isMoving = false
        if (!this.#init.subscribe || this.#subscriber === undefined) {
          this.#end()
          return
        }
        this.#frames = toFrames(this.#more(this.#subscriber), bounds)
        if (!this.#isDirty) return
        this.#isDirty = false
        this.#pump()
      }
    )
  }

  #send(bytes: Uint8Array): void {
    const { client, corruption, network, random, server } = this.#init
    const frame = decodeFrame((encoded) => SyncFrame.decode(encoded), bytes)
    if (random.chance(corruption)) this.#corrupt(frame)
    network.send(
      server,
      client,
      () => this.#take(frame),
      () => this.#end()
    )
  }

  /** Turns one bit of something signed. */
  #corrupt(frame: SyncFrame): void {
    const { random } = this.#init
    const signed = [...frame.entries, ...frame.records, ...(frame.checkpoint.length > 0 ? [frame.checkpoint] : [])]
    if (signed.length === 0) return
    const victim = random.pick(signed)
    const at = random.below(victim.length)
    victim[at] = (victim[at] ?? 0) ^ (1 << random.below(8))
    this.#wasCorrupted = true
  }

  #take(frame: SyncFrame): void {
    const { client, network, server } = this.#init
    if (client.process !== this.#client) {
      this.#end()
      return
    }
    if (this.#isSnapshot) this.#applier.beginSnapshot(this.#asked)
    this.#isSnapshot = false
    client.call(
      async () => {
        await this.#applier.apply(this.#applier.open(frame))
        if (frame.cursor !== undefined) this.#client.cursors.set(server.name, frame.cursor, this.#generation)
        if (!frame.caughtUp || this.#isCaughtUp) return
        this.#isCaughtUp = true
        await this.#applier.caughtUp()
      },
      (outcome) => {
        if (outcome.status === 'rejected') {
          this.#end(outcome.reason)
          return
        }
        network.send(
          client,
          server,
          () => this.#pump(),
          () => this.#end()
        )
      }
    )
  }

  #end(error?: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#init.onEnd(error, this.#wasCorrupted)
  }
}
