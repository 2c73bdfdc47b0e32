import { TypedEventEmitter } from 'main-event'
import { equals } from 'uint8arrays/equals'
import { sha256 } from '../../../src/identity/hash.ts'
import { SigningKey } from '../../../src/identity/keys.ts'
import type { Role } from '../../../src/identity/role.ts'
import type { RegisterBackendEvents, SessionRegistry } from '../../../src/protocols/register/index.ts'
import { Liveness, type LivenessTimings } from '../../../src/registry/liveness/liveness.ts'
import { NetworkState } from '../../../src/registry/log/state/network-state.ts'
import { type Checkpoint, sealCheckpoint } from '../../../src/registry/objects/checkpoint.ts'
import { type EntryContent, type LogEntry, openEntry, sealEntry } from '../../../src/registry/objects/entry.ts'
import type { Signed } from '../../../src/registry/objects/envelope.ts'
import { type Genesis, sealGenesis } from '../../../src/registry/objects/genesis.ts'
import { defaultPolicy } from '../../../src/registry/objects/policy/policy.ts'
import type { NodeRecord } from '../../../src/registry/objects/record.ts'
import { Records } from '../../../src/registry/records/records.ts'
import { systemClock } from '../../../src/runtime/clock-and-logger.ts'
import { LogMismatchError, NotMemberError } from '../../../src/runtime/errors.ts'
import { openTestStore, type TestStore } from '../observations.ts'
import { recordBy } from '../real-network.ts'

const day = 86_400_000

/** A log in memory with its keys, and what it says. */
export class TinyNetwork {
  readonly authority = SigningKey.generate()
  readonly genesis: Signed<Genesis>
  readonly entries: Signed<LogEntry>[] = []
  logKey = SigningKey.generate()
  epoch = 0

  constructor(domain = 'example.org') {
    this.genesis = sealGenesis(
      {
        domain,
        name: 'Example',
        authorityKey: this.authority.publicKey,
        nextAuthorityDigest: sha256(SigningKey.generate().publicKey),
        logKey: this.logKey.publicKey,
        createdMs: Date.now(),
        policy: { ...defaultPolicy, documentBytes: 2 ** 20 }
      },
      this.authority
    )
  }

  get networkId(): Uint8Array {
    return this.genesis.hash
  }

  append(content: EntryContent, key: SigningKey = this.logKey): Signed<LogEntry> {
    const prevHash = this.entries.at(-1)?.hash ?? this.networkId
    const position = { networkId: this.networkId, n: this.entries.length + 1, prevHash, epoch: this.epoch }
    const entry = sealEntry({ ...position, timeMs: Date.now(), ...content }, key)
    this.entries.push(entry)
    return entry
  }

  admit(
    key: { publicKey: Uint8Array },
    name: string,
    role: Role,
    notAfterMs = Date.now() + 90 * day
  ): Signed<LogEntry> {
    return this.append({ kind: 'admit', body: { publicKey: key.publicKey, name, role, notAfterMs, via: 'founder' } })
  }

  revoke(key: { publicKey: Uint8Array }): Signed<LogEntry> {
    return this.append({ kind: 'revoke', body: { publicKey: key.publicKey, reason: 'test' } })
  }

  /** A new epoch with a new log key. */
  delegate(): Signed<LogEntry> {
    this.logKey = SigningKey.generate()
    this.epoch++
    return this.append({ kind: 'delegate', body: { logKey: this.logKey.publicKey } }, this.authority)
  }

  checkpoint(change: Partial<Checkpoint> = {}): Signed<Checkpoint> {
    const head = this.entries.at(-1)
    const checkpoint = {
      networkId: this.networkId,
      epoch: this.epoch,
      n: this.entries.length,
      headHash: head?.hash ?? this.networkId,
      stateRoot: new Uint8Array(32),
      rows: this.entries.length + 1,
      bytes: 0,
      timeMs: Date.now()
    }
    return sealCheckpoint({ ...checkpoint, ...change }, this.logKey)
  }

  record(key: SigningKey, seq: number, change: Partial<NodeRecord> = {}): Uint8Array {
    return recordBy(this, key, seq, { issuedMs: Date.now(), ...change })
  }
}

/** The state that one host has made of the log so far. */
export class TinyReplica {
  readonly state: NetworkState
  readonly #network: TinyNetwork
  checkpoint: Signed<Checkpoint> | undefined
  #length = 0

  constructor(network: TinyNetwork) {
    this.#network = network
    this.state = new NetworkState(network.genesis, (n) => {
      const entry = network.entries[n - 1]
      if (entry === undefined) throw new Error(`no entry ${n}`)
      return entry
    })
    this.catchUp()
  }

  catchUp(): void {
    for (const entry of this.#network.entries.slice(this.#length)) this.state.apply(entry)
    this.#length = this.#network.entries.length
    this.checkpoint = this.#network.checkpoint()
  }

  isMember(publicKey: Uint8Array): boolean {
    const member = this.state.member(publicKey)
    return member !== undefined && member.notAfterMs >= (this.checkpoint?.value.timeMs ?? 0)
  }

  delegations(): Uint8Array[] {
    return this.#seen()
      .filter(({ value }) => value.kind === 'delegate' || value.kind === 'authority')
      .map(({ bytes }) => bytes)
  }

  registrySetEntry(publicKey: Uint8Array): Uint8Array | undefined {
    const row = this.state.registry(publicKey)
    return row === undefined ? undefined : this.#network.entries[row.n - 1]?.bytes
  }

  verifyShown(admit: Uint8Array, _renew: Uint8Array | undefined, remoteKey: Uint8Array) {
    const { value, signer } = openEntry(admit, this.#network.networkId)
    if (!equals(signer, this.state.logKeyOf(value.epoch) ?? new Uint8Array()))
      throw new LogMismatchError('wrong signer')
    if (value.kind !== 'admit' || !equals(value.body.publicKey, remoteKey)) throw new NotMemberError('of another key')
    return value.body
  }

  #seen(): Signed<LogEntry>[] {
    return this.#network.entries.slice(0, this.#length)
  }
}

export interface TinyRegistryInit {
  network: TinyNetwork
  key: SigningKey
  role: Role
  join?: SessionRegistry['admission']['join']
  timings?: Partial<LivenessTimings>
}

const refuse = async (): Promise<never> => {
  throw new NotMemberError('this registry admits nobody')
}

/** A registry of real parts over a TinyReplica; whom it admits, the test says. */
export class TinyRegistry implements SessionRegistry, Disposable {
  readonly events = new TypedEventEmitter<RegisterBackendEvents>()
  readonly replica: TinyReplica
  readonly records: Records
  readonly liveness: Liveness
  readonly role: Role
  readonly genesis: Signed<Genesis>
  readonly networkId: Uint8Array
  readonly admission: SessionRegistry['admission']
  readonly cosignatures: SessionRegistry['cosignatures'] = { of: () => [] }
  readonly store: TestStore = openTestStore()

  constructor({ network, key, role, join, timings }: TinyRegistryInit) {
    this.role = role
    this.genesis = network.genesis
    this.networkId = network.networkId
    const replica = new TinyReplica(network)
    this.replica = replica
    const isMember = (publicKey: Uint8Array) => replica.isMember(publicKey)
    this.records = new Records({
      networkId: network.networkId,
      table: this.store.records,
      commit: this.store,
      membership: { isMember, isRevoked: (publicKey) => replica.state.isRevoked(publicKey) }
    })
    this.liveness = new Liveness({
      network: { self: key.publicKey, isMember },
      clock: systemClock,
      ...(timings !== undefined && { timings })
    })
    this.admission = { join: join ?? refuse, renew: refuse, forget: refuse, rotate: refuse, reissueEntry: refuse }
  }

  replicaAgeMs(): number {
    return 7
  }

  [Symbol.dispose](): void {
    this.records.close()
    this.store[Symbol.dispose]()
  }
}
