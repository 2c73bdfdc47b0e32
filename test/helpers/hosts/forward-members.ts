import { type Duplex, duplexPair } from 'node:stream'
import type { Libp2p } from '@libp2p/interface'
import { publicKeyOf } from '../../../src/identity/keys.ts'
import { type LimitOverrides, limitsWith } from '../../../src/protocols/engine/limits.ts'
import type { Forward } from '../../../src/protocols/forward/forward.ts'
import { forwardServer, LiveForwards, openForward } from '../../../src/protocols/forward/index.ts'
import { ceilingMs } from '../ceiling.ts'
import { connect } from '../hosts.ts'
import { networkId } from '../signed-objects.ts'
import { type MemberHost, type Members, startMember } from './members.ts'

export type Serve = (publicKey: Uint8Array, service: string) => Promise<Duplex>

export interface ForwardMember extends AsyncDisposable {
  readonly host: Libp2p
  readonly member: MemberHost<{ forward: unknown }>
  readonly live: LiveForwards
  /** Limits that were exceeded here. */
  readonly exceeded: string[]
  /** Calls a service of another one: gives the end of the caller. */
  call(to: ForwardMember, service?: string): Promise<{ socket: Duplex; forward: Forward }>
}

export interface ForwardMemberInit {
  members: Members
  /** Gives the end of the service. */
  serve?: Serve
  /** Throws for what a member may not call; default: it may call everything. */
  judge?: (service: string) => void
  limits?: LimitOverrides
  role?: 'integrated' | 'stranger'
}

const none: Serve = async () => {
  throw new Error('nothing is served here')
}

/** A host that calls services, and serves what the test gives. */
export async function startForwardMember(init: ForwardMemberInit): Promise<ForwardMember> {
  const limits = limitsWith(init.limits)
  const { serve = none, judge = () => {} } = init
  const exceeded: string[] = []
  const live = new LiveForwards({ limits: limits.forward, onExceeded: (limit) => exceeded.push(limit) })
  const member = await startMember<{ forward: unknown }>({
    members: init.members,
    ...(init.role !== undefined && { role: init.role }),
    services: ({ trust }) => ({
      forward: forwardServer({
        networkId,
        live,
        find: (publicKey, service) => {
          judge(service)
          return async () => await serve(publicKey, service)
        },
        trust,
        limits
      })
    })
  })
  const { host } = member
  return {
    host,
    member,
    live,
    exceeded,
    call: async (to, service = 'echo') => {
      const connection = host.getConnections(to.host.peerId)[0] ?? (await connect(host, to.host))
      const peer = connection.remotePeer.toString()
      using forward = live.begin({ peer, publicKey: publicKeyOf(peer), service, direction: 'out', connection })
      const frames = await openForward(connection, service, {
        networkId,
        limits,
        signal: AbortSignal.timeout(ceilingMs)
      })
      const [ours, theirs] = duplexPair()
      await forward.join(frames, ours)
      return { socket: theirs, forward }
    },
    [Symbol.asyncDispose]: () => member[Symbol.asyncDispose]()
  }
}

/** A service that sends back what it is sent, and ends when the caller does. */
export const echo: Serve = async () => {
  const [ours, theirs] = duplexPair()
  theirs.pipe(theirs)
  return ours
}

/** All that comes until the end. */
export async function readAll(socket: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}
