import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Libp2p, Libp2pEvents, PrivateKey, TypedEventTarget } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { defaults } from '../../../src/node/config/defaults.ts'
import { componentLogger } from '../../../src/node/host/component-logger.ts'
import { Gater, type GaterInit } from '../../../src/node/host/gater.ts'
import type { InboundLimits } from '../../../src/node/host/inbound-limits.ts'
import { type BaseServices, libp2pOptions } from '../../../src/node/host/libp2p.ts'
import { hostGuard } from '../../../src/protocols/engine/host-guard.ts'
import { defaultLimits } from '../../../src/protocols/engine/limits.ts'
import { ConnectionTrust } from '../../../src/protocols/engine/trust/connection-trust.ts'
import { silentLogger } from '../../../src/runtime/clock-and-logger.ts'

export const inboundLimits: InboundLimits = { ...defaults.limits, connections: 300 }

/** What is listened on; getMultiaddrs() says what is announced. */
const listeningOn = (listeners: Multiaddr[]) => (components: { events: TypedEventTarget<Libp2pEvents> }) => {
  components.events.addEventListener('transport:listening', ({ detail }) => listeners.push(...detail.getAddrs()))
  return {}
}

export interface NetHost extends AsyncDisposable {
  readonly libp2p: Libp2p<BaseServices>
  readonly gater: Gater
  /** Text of the one address that is listened on. */
  readonly address: string
  readonly peerId: string
}

export interface NetHostInit extends Partial<GaterInit> {
  readonly announce?: () => readonly string[]
  readonly privateKey?: PrivateKey
  readonly listen?: string
  /** Its connections are watched, as those of a node are. */
  readonly guarded?: boolean
}

const guard = () =>
  hostGuard({
    trust: new ConnectionTrust({ limits: defaultLimits.strangers, settleMs: 200 }),
    limits: defaultLimits
  })

/** A host with the product's own libp2p options on a free port of ::1. */
export const netHost = async (init: NetHostInit = {}): Promise<NetHost> => {
  const gater = new Gater({ limits: inboundLimits, ...init })
  let address = ''
  const listeners: Multiaddr[] = []
  const libp2p = await createLibp2p(
    libp2pOptions<{ listening: unknown; guard?: unknown }>({
      privateKey: init.privateKey ?? (await generateKeyPair('Ed25519')),
      listen: [init.listen ?? '/ip6/::1/tcp/0'],
      announce: init.announce ?? (() => [address].filter((text) => text !== '')),
      gater,
      logger: componentLogger({ ...silentLogger, isLevelEnabled: () => false }),
      limits: { dialTimeoutMs: 5000, memberUpgradeTimeoutMs: 15_000 },
      services: { ...(init.guarded === true && { guard: guard() }), listening: listeningOn(listeners) },
      version: '0.0.0'
    })
  )
  address = String(listeners[0])
  return {
    libp2p,
    gater,
    address,
    peerId: libp2p.peerId.toString(),
    [Symbol.asyncDispose]: async () => await libp2p.stop()
  }
}
