import { equals } from 'uint8arrays/equals'
import type { Role } from '../../identity/role.ts'
import type { LogKeys } from '../../registry/log/state/log-keys.ts'
import type { Checkpoint } from '../../registry/objects/checkpoint.ts'
import type { LogEntry } from '../../registry/objects/entry.ts'
import type { Signed } from '../../registry/objects/envelope.ts'
import type { Genesis } from '../../registry/objects/genesis.ts'
import type { Cosignatures } from '../../registry/witness/cosignatures.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { systemClock } from '../../runtime/clock-and-logger.ts'
import { LogMismatchError, RevokedError } from '../../runtime/errors.ts'
import { statuses, statusOf } from '../engine/status.ts'
import type { TrustedMember } from '../engine/trust/connection-trust.ts'
import type { Hello as HelloMessage } from './pb/hello.ts'
import { proveMember, proveNetwork, requireEpoch } from './proof.ts'
import type { HelloContent, HelloSource, Verdict } from './source.ts'

/** The part of a member's state that a hello shows. */
interface ShownMember extends TrustedMember {
  readonly admit: Signed<LogEntry>
  readonly renew?: Signed<LogEntry> | undefined
}

/** The parts of the registry in this process that a hello needs. */
export interface HelloRegistry {
  readonly networkId: Uint8Array
  readonly genesis: Signed<Genesis>
  readonly role: Role
  /** Words of witnesses, where they are kept. */
  readonly cosignatures?: Pick<Cosignatures, 'of'>
  readonly replica: {
    readonly checkpoint: Signed<Checkpoint> | undefined
    readonly state: {
      member(publicKey: Uint8Array): ShownMember | undefined
      isRevoked(publicKey: Uint8Array): boolean
      readonly keys: Pick<LogKeys, 'authorityKey' | 'epoch'>
    }
    isMember(publicKey: Uint8Array): boolean
    /** Envelopes of delegate and authority entries, in log order. */
    delegations(): Uint8Array[]
    /** Envelope of the registry-set entry of a key. */
    registrySetEntry(publicKey: Uint8Array): Uint8Array | undefined
    /** The member that shown entries prove, although the replica has not got them yet. Throws when they prove none. */
    verifyShown(
      admit: Uint8Array,
      renew: Uint8Array | undefined,
      remoteKey: Uint8Array,
      registrySet?: Uint8Array
    ): TrustedMember | Promise<TrustedMember>
  }
}

export interface RegistryHelloInit {
  publicKey: Uint8Array
  software: string
  maxDelegations: number
  /** Epoch of the invite that this node has. */
  invitedIn?: (() => number | undefined) | undefined
  clock?: Clock | undefined
  /** Takes the time that a member's clock shows, also of one whose membership has ended by ours. */
  onTime?: (publicKey: Uint8Array, timeMs: number) => void
}

/** Speaks for and judges by the replica of this process. */
export class RegistryHello implements HelloSource {
  readonly #registry: HelloRegistry
  readonly #init: RegistryHelloInit

  constructor(registry: HelloRegistry, init: RegistryHelloInit) {
    this.#registry = registry
    this.#init = init
  }

  local(): HelloContent {
    const { networkId, genesis, role, replica, cosignatures } = this.#registry
    const { checkpoint } = replica
    const own = replica.state.member(this.#init.publicKey)
    return {
      networkId,
      genesis: genesis.bytes,
      delegations: replica.delegations(),
      checkpoint: checkpoint?.bytes,
      cosignatures: checkpoint && cosignatures?.of(checkpoint),
      admit: own?.admit.bytes,
      renew: own?.renew?.bytes,
      registrySet: replica.registrySetEntry(this.#init.publicKey),
      role,
      software: this.#init.software
    }
  }

  async judge(remote: HelloMessage, remoteKey: Uint8Array): Promise<Verdict> {
    const { replica } = this.#registry
    if (replica.state.isRevoked(remoteKey)) {
      return { kind: 'stranger', status: statuses.REVOKED, reason: 'its key was revoked' }
    }
    const known = replica.state.member(remoteKey)
    if (known !== undefined && remote.timeMs > 0) this.#init.onTime?.(remoteKey, remote.timeMs)
    // Noise proved the key and the replica knows it: no entry needs to be shown, let alone verified.
    if (known !== undefined && replica.isMember(remoteKey)) return { kind: 'member', member: known }
    // Whoever holds the authority key makes the next root: it reads the log from wherever it is left.
    if (equals(remoteKey, replica.state.keys.authorityKey)) return { kind: 'member', member: authority(remoteKey) }
    if (remote.admit.byteLength === 0) {
      return { kind: 'stranger', status: statuses.NOT_MEMBER, reason: 'it shows no membership' }
    }
    try {
      await this.#requireEpoch(remote)
      return { kind: 'member', member: await this.#verifyMembershipProof(remote, remoteKey) }
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'its proof cannot be read'
      return { kind: 'stranger', status: statusOf(error), reason }
    }
  }

  /** A newcomer follows nobody who shows less than its invite. @throws LogMismatchError */
  async #requireEpoch(remote: HelloMessage): Promise<void> {
    const invitedIn = this.#init.invitedIn?.()
    if (invitedIn === undefined || this.#registry.replica.state.keys.epoch >= invitedIn) return
    requireEpoch((await proveNetwork(remote, this.#init.maxDelegations)).keys, invitedIn)
  }

  async #verifyMembershipProof(remote: HelloMessage, remoteKey: Uint8Array): Promise<TrustedMember> {
    const renew = remote.renew.byteLength > 0 ? remote.renew : undefined
    const { replica } = this.#registry
    try {
      const set = remote.registrySet.byteLength > 0 ? remote.registrySet : undefined
      return await replica.verifyShown(remote.admit, renew, remoteKey, set)
    } catch (error) {
      // An epoch that this replica has not heard of: the delegations shown may lead to its key.
      const last = remote.delegations.at(-1)
      const isNews = last !== undefined && !replica.delegations().some((held) => equals(held, last))
      if (!(error instanceof LogMismatchError) || !isNews) throw error
    }
    const proof = await proveNetwork(remote, this.#init.maxDelegations)
    const { keys } = replica.state
    // An older one may be void: a newer one may have branched off below it.
    if (proof.keys.epoch <= keys.epoch) throw new LogMismatchError('the delegations shown lead to no newer epoch')
    if (!proof.keys.follows(keys)) {
      throw new LogMismatchError('the delegations shown take a rotation of the authority back')
    }
    const member = await proveMember(proof, remote, remoteKey, (this.#init.clock ?? systemClock).now())
    if (replica.state.isRevoked(remoteKey)) throw new RevokedError('its key was revoked')
    return member
  }
}

/** Serves nobody, and has no name in the network. */
const authority = (publicKey: Uint8Array): TrustedMember => ({ publicKey, name: '', role: 'external' })

export const registryHello = (registry: HelloRegistry, init: RegistryHelloInit): RegistryHello =>
  new RegistryHello(registry, init)
