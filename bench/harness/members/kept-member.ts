import type { Connection } from '@libp2p/interface'
import { peerIdText, publicKeyOfPeerId } from '../../../src/identity/keys.ts'
import { raceDial } from '../../../src/node/bootstrap/dial-race.ts'
import { defaults } from '../../../src/node/config/defaults.ts'
import { SelfRecord } from '../../../src/node/self/record.ts'
import { LeaseClient, type RegistryPeer } from '../../../src/node/session/lease-client.ts'
import { openRegisterSession } from '../../../src/protocols/register/index.ts'
import { silentLogger, systemClock } from '../../../src/runtime/clock-and-logger.ts'
import { Supervisor } from '../../../src/runtime/supervisor.ts'
import type { RootAddress } from '../../processes/root.ts'
import { clientLimits, gater, LightMember } from './light-member.ts'
import { memberRole } from './members.ts'

const peerOf = (connection: Connection): RegistryPeer => ({
  connection,
  publicKey: publicKeyOfPeerId(connection.remotePeer),
  name: '',
  role: 'secondary'
})

export interface KeptMemberInit {
  readonly number: number
  /** In the order in which they are asked when several are connected. */
  readonly registries: readonly RootAddress[]
  /** Members of the network. */
  readonly all: number
  /** A registry took it: which one of them. */
  readonly onHeld: (index: number) => void
  readonly onTrouble: (error: Error) => void
}

/** A light member whose lease is held by the product's own session keeper: it beats, and moves on when its registry is gone. */
export class KeptMember {
  readonly #init: KeptMemberInit
  readonly #member: LightMember
  readonly #keeper: LeaseClient
  readonly #connections = new Map<string, Connection>()
  readonly #held = Promise.withResolvers<void>()
  #isHeld = false

  private constructor(init: KeptMemberInit, root: RootAddress, member: LightMember) {
    this.#init = init
    this.#member = member
    this.#keeper = this.#makeKeeper(root)
  }

  static async start(init: KeptMemberInit): Promise<KeptMember> {
    const [root] = init.registries
    if (root === undefined) throw new Error('no registry was given')
    return new KeptMember(init, root, await LightMember.start(init.number, root))
  }

  /** Connects to this registry; from then on it is there to move to. */
  async connect({ address }: RootAddress): Promise<void> {
    this.#connections.set(address, await this.#member.connectTo(address))
  }

  /** Resolves when the first registry has taken it. */
  async hold(): Promise<void> {
    this.#keeper.start(new Supervisor())
    await this.#held.promise
  }

  async stop(): Promise<void> {
    await this.#keeper.stop('the benchmark is over')
    await this.#member.stop()
  }

  async #find(except: ReadonlySet<string>, signal: AbortSignal): Promise<RegistryPeer> {
    const others = this.#init.registries.filter(({ address }) => !except.has(address.split('/').at(-1) ?? ''))
    for (const { address } of others) {
      const connection = this.#connections.get(address)
      if (connection?.status === 'open') return peerOf(connection)
    }
    const { host } = this.#member
    const { staggerMs, dialTimeoutMs } = defaults.bootstrap
    // All begin at the first one.
    const candidates = (this.#isHeld ? others : others.slice(0, 1)).map(({ address }) => ({ multiaddr: address }))
    const verify = async (connection: Connection): Promise<void> => await this.#member.settle(connection)
    const { connection } = await raceDial({ libp2p: host, gater }, candidates, {
      staggerMs,
      dialTimeoutMs,
      signal,
      verify
    })
    return peerOf(connection)
  }

  #indexOf({ publicKey }: RegistryPeer): number {
    const id = peerIdText(publicKey)
    return this.#init.registries.findIndex(({ address }) => address.endsWith(id))
  }

  #makeKeeper({ networkId }: RootAddress): LeaseClient {
    const { number, all, onHeld, onTrouble } = this.#init
    const { backoffInitialMs: initialMs, backoffMaxMs: maxMs, backoffMultiplier: multiplier } = defaults.replication
    return new LeaseClient({
      registries: {
        find: async (except, signal) => await this.#find(except, signal),
        open: async (connection, signal) =>
          await openRegisterSession(connection, { limits: clientLimits, clock: systemClock, signal }),
        better: () => undefined
      },
      membership: {
        isMember: () => true,
        refusal: () => undefined,
        joinCall: () => undefined,
        renewal: () => undefined,
        lateRenewal: () => undefined
      },
      selfRecord: new SelfRecord({
        networkId,
        key: this.#member.key,
        role: memberRole(number),
        software: 'bench',
        store: { load: () => this.#member.nextRecord(), save: async () => {} },
        addrs: () => ['/ip6/2001:db8::1/tcp/9000'],
        clock: systemClock
      }),
      clock: systemClock,
      logger: silentLogger,
      backoff: { initialMs, maxMs, multiplier, others: () => all },
      heartbeat: defaults.heartbeat,
      owner: {
        presence: () => ({ checkpoint: undefined, cosignatures: [], connected: [] }),
        registered: async ({ peer }, { admit }) => {
          this.#member.show(admit)
          onHeld(this.#indexOf(peer))
          this.#isHeld = true
          this.#held.resolve()
        },
        lost: () => {},
        toldRegistries: () => {},
        duplicate: (reason) => onTrouble(new Error(reason)),
        troubled: (error) => {
          if (error !== undefined) onTrouble(error)
        },
        unanswered: () => {},
        shown: () => {}
      }
    })
  }
}
