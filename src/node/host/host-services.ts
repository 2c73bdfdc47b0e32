import type { GossipSub } from '@libp2p/gossipsub'
import type { Libp2p, Startable } from '@libp2p/interface'
import type { Ping } from '@libp2p/ping'
import type { Announce, Topics } from '../../protocols/announce/index.ts'
import type { Hello } from '../../protocols/hello/index.ts'
import type { Kad } from '../../protocols/kad/index.ts'
import type { ProbeServer } from '../../protocols/probe/index.ts'
import type { Register } from '../../protocols/register/index.ts'
import type { RelayServer } from '../../protocols/relay/index.ts'
import type { SyncServer } from '../../protocols/sync/index.ts'
import type { BaseServices } from './libp2p.ts'

/** The services of a member's libp2p host. Those of a registry are there when the role serves it. */
export type HostServices = BaseServices & {
  guard: object
  hello: Hello
  blocks: Startable
  forward: Startable
  ping: Ping
  pubsub?: GossipSub
  announce?: Announce
  topics?: Topics
  kad?: Kad
  register?: Register
  sync?: SyncServer
  lookup?: Startable
  probe?: ProbeServer
  admin?: Startable
  relay?: RelayServer
}

export type Host = Libp2p<HostServices>

const own: Readonly<Record<keyof HostServices, true>> = {
  identify: true,
  identifyPush: true,
  connectionList: true,
  guard: true,
  hello: true,
  blocks: true,
  forward: true,
  ping: true,
  pubsub: true,
  announce: true,
  topics: true,
  kad: true,
  register: true,
  sync: true,
  lookup: true,
  probe: true,
  admin: true,
  relay: true
}

/** True for the name of a service that is TrustNet's own. */
export const isOwnService = (name: string): boolean => Object.hasOwn(own, name)
