import { equals } from 'uint8arrays/equals'
import type { Role } from '../../identity/role.ts'
import { compareCheckpoints } from '../../registry/log/state/position.ts'
import { networkIdText } from '../../registry/objects/genesis.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { systemClock } from '../../runtime/clock-and-logger.ts'
import { statuses, statusOf } from '../engine/status.ts'
import type { Hello as HelloMessage } from './pb/hello.ts'
import { type NetworkProof, proveMember, proveNetwork, requireEpoch } from './proof.ts'
import type { HelloContent, HelloSource, JudgeOptions, Verdict } from './source.ts'

export interface DiscoveryHelloInit {
  role: Role
  software: string
  /** Network id from an invite, an earlier run, the config or a typed fingerprint. Absent: first use. */
  pin?: Uint8Array | undefined
  /** Epoch of the invite that this host has. */
  invitedIn?: (() => number | undefined) | undefined
  maxDelegations: number
  clock?: Clock | undefined
}

/** Networks that can prove themselves to one bootstrapping host: more than a real domain ever answers with. */
const maxProven = 16

/**
 * For a host that has no genesis yet: says what it looks for, and collects the networks that prove themselves.
 * Without a pin only peers that we dialled ourselves are listened to, since anybody can prove a network of his own.
 */
export class DiscoveryHello implements HelloSource {
  readonly #init: DiscoveryHelloInit
  readonly #proven = new Map<string, NetworkProof>()
  #pin: Uint8Array | undefined

  constructor(init: DiscoveryHelloInit) {
    this.#init = init
    this.#pin = init.pin
  }

  get pin(): Uint8Array | undefined {
    return this.#pin
  }

  /** By network id as text. With a pin: that one at most. */
  get proven(): ReadonlyMap<string, NetworkProof> {
    return this.#proven
  }

  /** From now on this network alone; what others proved is forgotten. */
  setPin(networkId: Uint8Array): void {
    this.#pin = networkId
    for (const [id, proof] of this.#proven) if (!equals(proof.networkId, networkId)) this.#proven.delete(id)
  }

  local(): HelloContent {
    return { networkId: this.#pin, role: this.#init.role, software: this.#init.software }
  }

  async judge(remote: HelloMessage, remoteKey: Uint8Array, options: JudgeOptions): Promise<Verdict> {
    if (this.#pin === undefined && !options.dialled) {
      return { kind: 'stranger', status: statuses.UNAVAILABLE, reason: 'this host does not know its network yet' }
    }
    try {
      const proof = await proveNetwork(remote, this.#init.maxDelegations)
      if (this.#pin !== undefined && !equals(proof.networkId, this.#pin)) {
        return {
          kind: 'stranger',
          status: statuses.WRONG_NETWORK,
          reason: 'it proves another network than the pinned one'
        }
      }
      requireEpoch(proof.keys, this.#init.invitedIn?.())
      const member = await proveMember(proof, remote, remoteKey, (this.#init.clock ?? systemClock).now())
      this.#keep(proof)
      return { kind: 'member', member }
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'its proof cannot be read'
      return { kind: 'stranger', status: statusOf(error), reason }
    }
  }

  /** Keeps the proof with the newest checkpoint of each network. */
  #keep(proof: NetworkProof): void {
    const id = networkIdText(proof.networkId)
    const held = this.#proven.get(id)
    if (held === undefined && this.#proven.size >= maxProven) return
    const last = held?.checkpoint.value
    if (last === undefined || compareCheckpoints(proof.checkpoint.value, last) > 0) this.#proven.set(id, proof)
  }
}

export const discoveryHello = (init: DiscoveryHelloInit): DiscoveryHello => new DiscoveryHello(init)
