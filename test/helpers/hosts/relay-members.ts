import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import type { ServiceFactoryMap } from 'libp2p'
import type { Uint8ArrayList } from 'uint8arraylist'
import { yamuxInit } from '../../../src/node/host/libp2p.ts'
import { FrameStream } from '../../../src/protocols/engine/frames.ts'
import { type LimitOverrides, limitsWith, type ProtocolLimits } from '../../../src/protocols/engine/limits.ts'
import { openCircuit, reserveAt } from '../../../src/protocols/relay/client.ts'
import { stopId } from '../../../src/protocols/relay/descriptor.ts'
import { readCircuit, taken } from '../../../src/protocols/relay/messages.ts'
import { type RelayServer, relayServer } from '../../../src/protocols/relay/server.ts'
import type { Clock } from '../../../src/runtime/clock-and-logger.ts'
import { ceilingMs } from '../ceiling.ts'
import { connect } from '../hosts.ts'
import { type MemberHost, type Members, startMember } from './members.ts'

/** One end of a circuit. */
export class End {
  readonly from: string
  readonly stream: Stream
  readonly #parts: Uint8Array[] = []
  hasEnded = false
  isOver = false

  constructor(from: string, stream: Stream, rest: Uint8Array) {
    this.from = from
    this.stream = stream
    if (rest.byteLength > 0) this.#parts.push(rest)
    stream.addEventListener('message', ({ data }) => this.#parts.push(plain(data)))
    stream.addEventListener('remoteCloseWrite', () => {
      this.hasEnded = true
    })
    stream.addEventListener('close', () => {
      this.isOver = true
    })
    stream.resume()
  }

  get text(): string {
    return Buffer.concat(this.#parts).toString()
  }

  get bytes(): number {
    return this.#parts.reduce((sum, { byteLength }) => sum + byteLength, 0)
  }

  send(text: string | Uint8Array): boolean {
    return this.stream.send(Buffer.from(text))
  }
}

const plain = (data: Uint8Array | Uint8ArrayList): Uint8Array => (data instanceof Uint8Array ? data : data.subarray())

const endOf = async (from: string, frames: FrameStream): Promise<End> => {
  const { stream, rest } = await frames.handOver()
  return new End(from, stream, rest)
}

/** A member that is connected to the relay. */
export interface Client {
  readonly host: Libp2p
  readonly id: string
  readonly publicKey: Uint8Array
  readonly toRelay: Connection
  /** Circuits that the relay has brought. */
  readonly brought: End[]
  reserve(): Promise<number>
  open(to: { readonly id: string }): Promise<End>
}

export interface StageInit {
  limits?: LimitOverrides
  mayServe?: () => boolean
  clock?: Clock
  /** Another relay than that of the product. */
  other?: ServiceFactoryMap<{ relay: RelayServer }>['relay']
}

/** A relay and its members, without sockets. */
export class RelayStage implements AsyncDisposable {
  readonly relay: MemberHost<{ relay: RelayServer }>
  readonly #members: Members
  readonly #limits: ProtocolLimits
  readonly #hosts: AsyncDisposable[] = []

  private constructor(relay: MemberHost<{ relay: RelayServer }>, members: Members, limits: ProtocolLimits) {
    this.relay = relay
    this.#members = members
    this.#limits = limits
  }

  static async open({ limits: overrides, mayServe = () => true, clock, other }: StageInit = {}): Promise<RelayStage> {
    const members: Members = new Map()
    const limits = limitsWith(overrides)
    const relay = await startMember<{ relay: RelayServer }>({
      members,
      role: 'root',
      muxer: yamuxInit,
      services: ({ trust }) => ({
        relay: other ?? relayServer({ trust, limits, mayServe, ...(clock !== undefined && { clock }) })
      })
    })
    return new RelayStage(relay, members, limits)
  }

  get counts() {
    return this.relay.host.services.relay.counts
  }

  /** `says`: the answer to circuits that the relay brings; by default they are taken. */
  async join({ role, says }: { role?: 'stranger'; says?: Uint8Array } = {}): Promise<Client> {
    const brought: End[] = []
    const limits = this.#limits
    const take = async (stream: Stream): Promise<void> => {
      const frames = new FrameStream(stream, {
        maxFrame: limits.relay.messageBytes,
        limits: limits.stream,
        isPreface: true
      })
      const bytes = await frames.read()
      if (bytes === undefined) return
      const from = readCircuit(bytes)
      await frames.write(says ?? taken())
      if (says !== undefined) await frames.close()
      else brought.push(await endOf(from, frames))
    }
    const member = await startMember<{ stop: unknown }>({
      members: this.#members,
      muxer: yamuxInit,
      ...(role !== undefined && { role }),
      services: () => ({
        stop: ({ registrar }: { registrar: Registrar }) => ({
          start: () => registrar.handle(stopId, take),
          stop: () => registrar.unhandle(stopId)
        })
      })
    })
    this.#hosts.push(member)
    const toRelay = await connect(member.host, this.relay.host)
    const options = { limits, signal: AbortSignal.timeout(ceilingMs) }
    return {
      host: member.host,
      id: member.host.peerId.toString(),
      publicKey: member.key.publicKey,
      toRelay,
      brought,
      reserve: () => reserveAt(toRelay, options),
      open: async ({ id }) => await endOf(id, await openCircuit(toRelay, id, options))
    }
  }

  /** Two members with a circuit between them. */
  async pair(): Promise<{ source: Client; target: Client; near: End; far: End }> {
    const [source, target] = [await this.join(), await this.join()]
    await target.reserve()
    const near = await source.open(target)
    const [far] = target.brought
    if (far === undefined) throw new Error('the circuit was not brought')
    return { source, target, near, far }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.relay, ...this.#hosts].map((host) => host[Symbol.asyncDispose]()))
  }
}
