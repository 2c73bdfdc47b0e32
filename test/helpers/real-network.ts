import { join } from 'node:path'
import { sha256 } from '../../src/identity/hash.ts'
import { SigningKey } from '../../src/identity/keys.ts'
import type { Role } from '../../src/identity/role.ts'
import type { InviteOptions, IssuedInvite } from '../../src/registry/admission/invites.ts'
import type { Forward } from '../../src/registry/admission/root-request-queue.ts'
import { createNetwork } from '../../src/registry/create-network.ts'
import { sealCheckpoint } from '../../src/registry/objects/checkpoint.ts'
import { sealForgetRequest } from '../../src/registry/objects/forget-request.ts'
import { makeJoin } from '../../src/registry/objects/join.ts'
import type { Policy } from '../../src/registry/objects/policy/policy.ts'
import { type NodeRecord, sealRecord } from '../../src/registry/objects/record.ts'
import { type RotateProofs, sealRotation } from '../../src/registry/objects/rotate.ts'
import {
  openRegistry,
  type Registry,
  type RegistryComponents,
  type RegistryInit,
  type RootPowers
} from '../../src/registry/registry.ts'
import type { Clock } from '../../src/runtime/clock-and-logger.ts'
import { tempFolder } from './temp.ts'

export const day = 86_400_000

/** A clock that a test turns. */
export class TestClock implements Clock {
  timeMs = Date.now()
  /** Word of a time service; undefined: there is none. */
  served: boolean | undefined

  now(): number {
    return this.timeMs
  }

  isServed(): boolean | undefined {
    return this.served
  }

  monotonic(): number {
    return this.timeMs
  }

  advance(ms: number): void {
    this.timeMs += ms
  }
}

export interface JoinWish {
  key?: SigningKey
  name: string
  role?: Role
  invite?: IssuedInvite
}

/** A record of a member, as its node would sign it. */
export const recordBy = (
  { networkId }: Pick<Registry, 'networkId'>,
  key: SigningKey,
  seq: number,
  change: Partial<NodeRecord> = {}
): Uint8Array =>
  sealRecord(
    {
      networkId,
      publicKey: key.publicKey,
      seq,
      addrs: ['/ip6/2001:db8::1/tcp/9000'],
      roles: ['integrated'],
      services: [],
      tags: [],
      software: 'test',
      reach: 'unknown',
      left: false,
      issuedMs: 1,
      ...change
    },
    key
  ).bytes

type RootInit = Partial<Omit<RegistryInit, 'root'>> & { root?: Partial<RootPowers> }

/** A network with its root, and registries that follow it, all with real stores in one folder. */
export class RealNetwork implements AsyncDisposable {
  readonly clock = new TestClock()
  readonly authority = SigningKey.generate()
  readonly nextAuthority = SigningKey.generate()
  readonly logKey = SigningKey.generate()
  readonly rootKey = SigningKey.generate()
  readonly #folder = tempFolder()
  readonly #open = new Set<Registry>()
  #root: Registry | undefined

  static async create(
    policy: Partial<Policy> = {},
    ...more: Parameters<RealNetwork['startRoot']>
  ): Promise<RealNetwork> {
    const network = new RealNetwork()
    await createNetwork({
      path: network.path('root'),
      domain: 'example.org',
      name: 'Example',
      policy: { admission: 'invite', membershipMs: 90 * day, documentBytes: 2 ** 20, ...policy },
      authority: network.authority,
      nextAuthorityDigest: sha256(network.nextAuthority.publicKey),
      founder: { key: network.rootKey, name: 'root', logKey: network.logKey },
      clock: network.clock
    })
    await network.startRoot(...more)
    return network
  }

  path(name: string): string {
    return join(this.#folder.path, name, 'registry.db')
  }

  get root(): Registry {
    if (this.#root === undefined) throw new Error('the root is not open')
    return this.#root
  }

  async startRoot({ root, ...init }: RootInit = {}, components: RegistryComponents = {}): Promise<Registry> {
    const { clock, logKey, rootKey: nodeKey } = this
    this.#root = await openRegistry(
      { path: this.path('root'), role: 'root', nodeKey, root: { logKey, ...root }, ...init },
      { clock, ...components }
    )
    this.#open.add(this.#root)
    return this.#root
  }

  /** Opens a registry for a member and syncs it once. */
  async openReplica(name: string, nodeKey: SigningKey, init: Partial<RegistryInit> = {}): Promise<Registry> {
    const { clock } = this
    const genesis = this.root.genesis.bytes
    const registry = await openRegistry(
      {
        path: this.path(name),
        role: 'secondary',
        nodeKey,
        genesis,
        ...init
      },
      { clock }
    )
    registry.admission.forward = this.forward
    this.#open.add(registry)
    await this.sync(registry)
    return registry
  }

  /** Admits a secondary and opens it. */
  async addSecondary(name: string, init: Partial<RegistryInit> = {}): Promise<Registry> {
    const key = SigningKey.generate()
    const invite = await this.root.admission.invite({ role: 'secondary' })
    await this.root.admission.join(this.wish({ key, name, role: 'secondary', invite }))
    await this.enter(key)
    return this.openReplica(name, key, init)
  }

  /** Enters a secondary into the set of registries. */
  async enter({ publicKey }: { publicKey: Uint8Array }): Promise<void> {
    await this.root.root?.append([{ kind: 'registrySet', body: { publicKey, role: 'secondary', removed: false } }])
  }

  /** What both keys sign for a change from one to the other. */
  rotation(from: SigningKey, to: SigningKey): RotateProofs {
    return sealRotation(this.root.networkId, from, to)
  }

  /** Another head for a position, signed by the log key all the same. */
  forgedCheckpoint(n: number): Uint8Array {
    const { checkpoint, networkId } = this.root.replica
    if (checkpoint === undefined) throw new Error('the root has no checkpoint')
    const headHash = sha256(networkId)
    return sealCheckpoint({ ...checkpoint.value, n, headHash }, this.logKey).bytes
  }

  async sync(registry: Registry): Promise<void> {
    const { replica } = this.root
    const entries = replica.read(registry.replica.head.n, 2 ** 24).map(({ envelope }) => envelope)
    await registry.replica.apply(entries, replica.checkpoint?.bytes)
  }

  /** The way to the root, without a wire. */
  readonly forward: Forward = async (request) => await this.root.admission.decide(request)

  invite(options: Partial<InviteOptions> = {}): Promise<IssuedInvite> {
    return this.root.admission.invite({ role: 'integrated', ...options })
  }

  /** What a joiner sends. */
  wish({ key = SigningKey.generate(), name, role = 'integrated', invite }: JoinWish): { join: Uint8Array } {
    const request = makeJoin({
      networkId: this.root.networkId,
      key,
      name,
      role,
      timeMs: this.clock.now(),
      ...(invite !== undefined && { grant: invite.grant, inviteKey: invite.inviteKey })
    })
    return { join: request }
  }

  /** What a member sends that wants to be let go. */
  farewell(key: SigningKey): Uint8Array {
    const { networkId, replica } = this.root
    const { publicKey } = key
    const membership = replica.state.member(publicKey)?.admit.hash ?? networkId
    return sealForgetRequest({ networkId, publicKey, membership }, key).bytes
  }

  /** Admits a new member. */
  async admit(name: string, key = SigningKey.generate()): Promise<SigningKey> {
    await this.root.admission.join(this.wish({ key, name, invite: await this.invite() }))
    return key
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const registry of this.#open) await registry.close()
    this.#folder[Symbol.dispose]()
  }
}
