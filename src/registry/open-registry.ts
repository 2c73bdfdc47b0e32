import { dirname } from 'node:path'
import { TypedEventEmitter } from 'main-event'
import { peerIdText } from '../identity/keys.ts'
import { isRegistryRole, type Role } from '../identity/role.ts'
import type { Clock, Logger } from '../runtime/clock-and-logger.ts'
import type { Supervisor } from '../runtime/supervisor.ts'
import { Admission } from './admission/admission.ts'
import { defaultLimits } from './admission/limits.ts'
import { MembershipFollower } from './admission/membership-watch.ts'
import { watchOffered, watchRevokes } from './admission/revocation-watch.ts'
import { Alarms } from './alarms.ts'
import { backUp } from './backup/backup.ts'
import type { BackupManifest } from './backup/manifest.ts'
import { Documents } from './documents/documents.ts'
import type { RegistryEvents } from './events.ts'
import { History } from './history/history.ts'
import { PastStates } from './history/past-states.ts'
import type { Liveness } from './liveness/liveness.ts'
import { LivenessService } from './liveness/liveness-service.ts'
import { ClockDoubt } from './log/clock-doubt.ts'
import { writeForkProof } from './log/forks/write-fork-proof.ts'
import { Root } from './log/log-writer.ts'
import { Pauses } from './log/pauses.ts'
import type { Replica } from './log/replica.ts'
import type { Signed } from './objects/envelope.ts'
import type { Genesis } from './objects/genesis.ts'
import { type LookupPage, type LookupQuery, lookup } from './records/lookup.ts'
import { Records } from './records/records.ts'
import type { Registry, RegistryInit } from './registry-interface.ts'
import type { Database } from './store/database.ts'
import type { GroupCommit } from './store/group-commit.ts'
import { NodeTable } from './store/node-table.ts'
import { forgetRestored, type Meta, metaOf, type RestoredFrom, restoredFrom } from './store/node-values.ts'
import { RecordTable } from './store/record-table.ts'
import { Cosignatures } from './witness/cosignatures.ts'
import { Finality } from './witness/finality.ts'
import { raiseLie } from './witness/raise-lie.ts'

export interface RegistryParts {
  db: Database
  commit: GroupCommit
  clock: Clock
  logger: Logger
  replica: Replica
  storeId: Uint8Array
  services: Supervisor
}

/** A registry whose store is open. */
export class OpenRegistry implements Registry {
  readonly role: Role
  readonly storeId: Uint8Array
  readonly events = new TypedEventEmitter<RegistryEvents>()
  readonly replica: Replica
  readonly cosignatures: Cosignatures
  readonly finality: Finality
  readonly records: Records
  readonly liveness: Liveness
  readonly history: History
  readonly past: PastStates
  readonly admission: Admission
  readonly documents: Documents
  readonly root: Root | undefined
  readonly alarms: Alarms
  readonly meta: Meta
  readonly #parts: RegistryParts
  readonly #liveness: LivenessService
  readonly #membership: MembershipFollower
  #age: { atMs: number; ageMs: number }
  #restored: RestoredFrom | undefined
  #closing: Promise<void> | undefined

  constructor(init: RegistryInit, parts: RegistryParts) {
    const { db, commit, clock, logger, replica, storeId } = parts
    const { events } = this
    this.#parts = parts
    this.role = init.role
    this.storeId = storeId
    this.replica = replica
    this.past = new PastStates(replica.ledger)
    const { meta } = replica.ledger
    this.meta = metaOf(meta, commit)
    this.#restored = restoredFrom(meta)
    this.cosignatures = new Cosignatures({ replica, meta: this.meta, clock })
    this.finality = this.#makeFinality()
    this.alarms = new Alarms({ db, commit, clock, logger, events })
    this.records = this.#makeRecords()
    this.#liveness = this.#makeLiveness(init)
    this.liveness = this.#liveness.core
    this.history = this.#makeHistory()
    this.root = this.#makeRoot(init)
    this.admission = new Admission(
      {
        limits: { ...defaultLimits(init.role), ...init.limits },
        nodeKey: init.nodeKey
      },
      { db, commit, replica, clock, logger, events, ...(this.root !== undefined && { root: this.root }) }
    )
    this.documents = new Documents({ db, commit, replica, clock, alarms: this.alarms, events, root: this.root })
    const { records, liveness } = this
    this.#membership = new MembershipFollower({ replica, records, liveness, clock, logger, events })
    this.#age = this.#ageNow()
    watchRevokes(replica, this.alarms)
    watchOffered(events, this)
    this.#listen()
    this.#liveness.start(parts.services)
    this.history.start(parts.services)
  }

  get networkId(): Uint8Array {
    return this.replica.networkId
  }

  get storeFailure(): Error | undefined {
    return this.#parts.commit.failure
  }

  get genesis(): Signed<Genesis> {
    return this.replica.genesis
  }

  #makeRecords(): Records {
    const { db, commit, replica } = this.#parts
    return new Records({
      networkId: replica.networkId,
      table: new RecordTable(db),
      commit,
      membership: {
        isMember: (publicKey) => replica.isMember(publicKey),
        isRevoked: (publicKey) => replica.state.isRevoked(publicKey)
      },
      onRecord: (event) => {
        const { publicKey, seq, registryKey, left, issuedMs } = event.record.value
        this.liveness.notes.learned(publicKey, event.source)
        this.liveness.recorded(publicKey, { seq, holder: registryKey })
        if (left) this.liveness.saidLeft({ publicKey, seq }, 'its record says so', this.#parts.clock.now() - issuedMs)
        this.events.dispatchEvent(new CustomEvent('record', { detail: event }))
      },
      onConflict: ({ publicKey, seq }) => {
        const peer = peerIdText(publicKey)
        this.alarms.raise(
          'seq_reused',
          `two different records with seq ${seq} are signed by the key of ${peer}: its data folder was put back from an older copy, which mends itself, or two machines have the key`,
          { peer, seq }
        )
      }
    })
  }

  #makeRoot({ role, nodeKey, root: powers }: RegistryInit): Root | undefined {
    if (role !== 'root' || powers === undefined) return undefined
    const { logKey, operatorKey, fence, log } = powers
    const { logger, replica } = this.#parts
    const root = new Root({
      replica,
      logKey,
      nodeKey,
      operatorKey,
      logger,
      pauses: new Pauses(replica.ledger.meta),
      doubt: new ClockDoubt(replica.ledger.meta),
      log: log?.(replica)
    })
    if (fence !== undefined) root.fence(fence)
    return root
  }

  #makeFinality(): Finality {
    const { replica, clock } = this.#parts
    const { cosignatures, meta } = this
    const finality = new Finality({
      replica,
      cosignatures,
      meta,
      clock,
      onFinal: () => this.events.dispatchEvent(new CustomEvent('final'))
    })
    replica.judge = finality
    return finality
  }

  #makeLiveness({ nodeKey, liveness }: RegistryInit): LivenessService {
    return new LivenessService({
      ...this.#parts,
      network: {
        self: nodeKey.publicKey,
        isMember: (publicKey) => this.replica.isMember(publicKey),
        members: () => this.replica.state.memberCount,
        isRegistry: (publicKey) => isRegistryRole(this.replica.state.member(publicKey)?.role ?? 'external'),
        namedBy: (publicKey) => {
          const record = this.records.read(publicKey)
          return record && { seq: record.seq, holder: record.registryKey }
        }
      },
      ...(liveness !== undefined && { timings: liveness }),
      table: new NodeTable(this.#parts.db),
      write: (run) => this.#parts.commit.write(run),
      onHints: (hints) => {
        for (const hint of hints) this.events.dispatchEvent(new CustomEvent('hint', { detail: { hint } }))
      },
      onPulse: () => this.events.dispatchEvent(new CustomEvent('pulse'))
    })
  }

  #makeHistory(): History {
    const { db, clock, commit } = this.#parts
    return new History({
      db,
      clock,
      write: (run) => commit.write(run),
      onRow: (row) => this.events.dispatchEvent(new CustomEvent('happened', { detail: { row } }))
    })
  }

  #listen(): void {
    const { replica, events, alarms, cosignatures } = this
    replica.events.addEventListener('entries', ({ detail }) => {
      events.dispatchEvent(new CustomEvent('entries', { detail }))
    })
    replica.events.addEventListener('checkpoint', ({ detail }) => {
      this.#age = this.#ageNow()
      events.dispatchEvent(new CustomEvent('checkpoint', { detail }))
    })
    cosignatures.events.addEventListener('lie', ({ detail }) => {
      const { db, logger } = this.#parts
      raiseLie(alarms, detail, { folder: dirname(db.name), logger })
    })
    replica.events.addEventListener('fork', ({ detail }) => {
      const { epoch, n } = detail
      const { db, logger } = this.#parts
      const proof = writeForkProof({ replica, folder: dirname(db.name), logger }, detail)
      alarms.raise(
        'log_fork',
        `epoch ${epoch} of the log has two signed histories from entry ${n} on: a root went on from an older copy of its data, or somebody else has the log key; nothing new is followed until the authority opens a new epoch` +
          (proof === undefined ? '' : `; the proof is ${proof}`),
        { epoch, n, ...(proof !== undefined && { proof }) }
      )
    })
  }

  lookup(query: LookupQuery): LookupPage {
    const { replica, records, liveness } = this
    const ifMember = <T extends { publicKey: Uint8Array }>(member: T | undefined): T | undefined =>
      member !== undefined && replica.isMember(member.publicKey) ? member : undefined
    return lookup(query, {
      member: (publicKey) => ifMember(replica.state.member(publicKey)),
      memberByName: (name) => ifMember(replica.state.memberByName(name)),
      keysAfter: (after, limit) => this.#membership.keysAfter(after, limit),
      keysOfRole: (role, after, limit) => this.#membership.keysOfRole(role, after, limit),
      entryBytes: (n) => replica.ledger.bytesOf(n),
      records,
      liveness
    })
  }

  namesLike(name: string): string[] {
    return this.#membership.namesLike(name)
  }

  replicaAgeMs(): number {
    return this.#age.ageMs + this.#parts.clock.monotonic() - this.#age.atMs
  }

  /** From here on it is counted on the monotonic clock, so that a step of the wall clock does not change it. */
  #ageNow(): { atMs: number; ageMs: number } {
    const { clock } = this.#parts
    const timeMs = this.replica.checkpoint?.value.timeMs ?? this.genesis.value.createdMs
    return { atMs: clock.monotonic(), ageMs: Math.max(0, clock.now() - timeMs) }
  }

  get restored(): RestoredFrom | undefined {
    return this.#restored
  }

  async trustRestored(): Promise<void> {
    await forgetRestored(this.replica.ledger.meta, this.#parts.commit)
    this.#restored = undefined
  }

  async backup(path: string): Promise<BackupManifest> {
    return await backUp({ db: this.#parts.db, genesis: this.genesis, nowMs: this.#parts.clock.now() }, path)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { commit, db } = this.#parts
    this.records.close()
    await Promise.all([this.cosignatures.close(), this.finality.close()])
    await this.root?.close()
    await this.#liveness.stop()
    await this.history.close()
    commit.close()
    db.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
