import { dirname } from 'node:path'
import { TypedEventEmitter, type TypedEventTarget } from 'main-event'
import { peerIdText, type SigningKey } from '../identity/keys.ts'
import { isRegistryRole, type Role } from '../identity/role.ts'
import { type Clock, type Logger, silentLogger, systemClock } from '../runtime/clock-and-logger.ts'
import { LogMismatchError, NotRootError, StoreGoneError } from '../runtime/errors.ts'
import { SteadyClock } from '../runtime/steady-clock.ts'
import { Admission } from './admission/admission.ts'
import { defaultLimits, type RegistryLimits } from './admission/limits.ts'
import { MembershipFollower } from './admission/membership-watch.ts'
import { watchOffered, watchRevokes } from './admission/revocation-watch.ts'
import type { Forward } from './admission/root-request-queue.ts'
import { Alarms } from './alarms.ts'
import { backUp } from './backup/backup.ts'
import type { BackupManifest } from './backup/manifest.ts'
import type { RegistryEvents } from './events.ts'
import { Liveness, type LivenessTimings } from './liveness/liveness.ts'
import { writeForkProof } from './log/forks/write-fork-proof.ts'
import { Root } from './log/log-writer.ts'
import { Pauses } from './log/pauses.ts'
import { openReplica, type Replica } from './log/replica.ts'
import { storedGenesis } from './log/stored-genesis.ts'
import type { Signed } from './objects/envelope.ts'
import { type Genesis, openGenesis } from './objects/genesis.ts'
import { type LookupPage, type LookupQuery, lookup } from './records/lookup.ts'
import { Records } from './records/records.ts'
import { type Database, openDatabase, peekDatabase } from './store/database.ts'
import { GroupCommit } from './store/group-commit.ts'
import { MetaTable } from './store/meta-table.ts'
import { NodeTable } from './store/node-table.ts'
import { forgetRestored, type Meta, metaOf, ownStoreId, type RestoredFrom, restoredFrom } from './store/node-values.ts'
import { RecordTable } from './store/record-table.ts'
import { asStoreError } from './store/store-errors.ts'

export interface RegistryInit {
  /** The database file. Files beside it have its name and an ending. */
  path: string
  role: Role
  /** Key of this node; the registry signs receipts with it. */
  nodeKey: SigningKey
  /** Signs the log; the root needs it. */
  logKey?: SigningKey
  /** Envelope. Needed for a new store, must fit to an older one. */
  genesis?: Uint8Array
  clock?: Clock
  logger?: Logger
  limits?: Partial<RegistryLimits>
  liveness?: Partial<LivenessTimings>
  /** The way to the root; `admission.forward` sets it later. */
  forward?: Forward
  /** The reason why the root appends nothing yet: until `root.release()` and `root.start()`. */
  fence?: string
}

/** One network's log, records, liveness and admission, in one store. Disposing of it writes what is due and closes the store. */
export interface Registry extends AsyncDisposable {
  readonly networkId: Uint8Array
  readonly genesis: Signed<Genesis>
  readonly role: Role
  /** Random, of this database: cursors into another one mean nothing here. */
  readonly storeId: Uint8Array
  readonly events: TypedEventTarget<RegistryEvents>
  readonly replica: Replica
  readonly records: Records
  readonly liveness: Liveness
  readonly admission: Admission
  /** There when this process may append to the log. */
  readonly root: Root | undefined
  readonly alarms: Alarms
  readonly meta: Meta
  /** One page of members; follow `next`. */
  lookup(query: LookupQuery): LookupPage
  /** Age of the newest verified checkpoint, ms; of the network when there is none. */
  replicaAgeMs(): number
  /** There while this store was restored from a backup and the others' heads were not heard since. */
  readonly restored: RestoredFrom | undefined
  /** The heads of others were heard, or an operator answers for it. */
  trustRestored(): Promise<void>
  /** Copies the store to a file, consistent while it is written to, checks the copy and describes it beside it. It holds no keys. @throws StoreError */
  backup(path: string): Promise<BackupManifest>
  /** The reason why the store takes nothing now: the disk is full, or fails. */
  readonly storeFailure: Error | undefined
  close(): Promise<void>
}

/**
 * Opens the store of a network, or begins one with `genesis`, and all that works on it.
 *
 * @throws StoreInUseError, StoreVersionError, StoreError as openDatabase; StoreError for the store of another network
 * @throws LogMismatchError when the store is new and no genesis is given
 * @throws NotRootError for the role root without the log key
 */
export async function openRegistry(init: RegistryInit): Promise<Registry> {
  if (init.role === 'root' && init.logKey === undefined) {
    throw new NotRootError('the root needs the log key: put its file in place, or start as another role')
  }
  const isNew = init.genesis === undefined && peekGenesis(init.path) === undefined
  if (isNew) throw new LogMismatchError(`there is no network in ${init.path}: init makes one, join enters one`)
  const db = openDatabase(init.path)
  const { clock = new SteadyClock(), logger = silentLogger, genesis } = init
  let registry: OpenRegistry | undefined
  const commit = new GroupCommit(db, (failure) => {
    tellHealth(logger, failure)
    if (failure instanceof StoreGoneError) registry?.alarms.raise('store_gone', failure.message)
  })
  try {
    const replica = await openReplica({ db, commit, clock, logger, ...(genesis !== undefined && { genesis }) })
    const storeId = await ownStoreId(new MetaTable(db), commit)
    registry = new OpenRegistry(init, { db, commit, clock, logger, replica, storeId })
    await registry.root?.start()
    return registry
  } catch (error) {
    commit.close()
    db.close()
    throw asStoreError(error, init.path)
  }
}

function tellHealth(logger: Logger, failure: Error | undefined): void {
  if (failure === undefined) logger.info({}, 'the store can be written again')
  else {
    const next = 'whatever must be stored is refused until it can be; reads and connections go on'
    logger.error({ error: failure.message }, `the store takes nothing: ${next}`)
  }
}

/** Envelope of the genesis in a store; undefined: there is no store, or no network in it. @throws as openDatabase */
export const peekGenesis = (path: string): Uint8Array | undefined => peekDatabase(path, (db) => storedGenesis({ db }))

/**
 * Makes the store of a network that was found elsewhere. Nothing happens when it is there already.
 * @throws StoreError when the store holds another network, and as openDatabase
 */
export async function adoptGenesis(path: string, genesis: Uint8Array): Promise<void> {
  openGenesis(genesis)
  const db = openDatabase(path)
  const commit = new GroupCommit(db)
  try {
    await openReplica({ db, commit, clock: systemClock, logger: silentLogger, genesis })
    await ownStoreId(new MetaTable(db), commit)
  } finally {
    commit.close()
    db.close()
  }
}

interface Parts {
  db: Database
  commit: GroupCommit
  clock: Clock
  logger: Logger
  replica: Replica
  storeId: Uint8Array
}

class OpenRegistry implements Registry {
  readonly role: Role
  readonly storeId: Uint8Array
  readonly events = new TypedEventEmitter<RegistryEvents>()
  readonly replica: Replica
  readonly records: Records
  readonly liveness: Liveness
  readonly admission: Admission
  readonly root: Root | undefined
  readonly alarms: Alarms
  readonly meta: Meta
  readonly #parts: Parts
  readonly #membership: MembershipFollower
  #age: { atMs: number; ageMs: number }
  #restored: RestoredFrom | undefined
  #closing: Promise<void> | undefined

  constructor(init: RegistryInit, parts: Parts) {
    const { db, commit, clock, logger, replica, storeId } = parts
    const { events } = this
    this.#parts = parts
    this.role = init.role
    this.storeId = storeId
    this.replica = replica
    const meta = new MetaTable(db)
    this.meta = metaOf(meta, commit)
    this.#restored = restoredFrom(meta)
    this.alarms = new Alarms({ db, commit, clock, logger, events })
    this.records = this.#makeRecords()
    this.liveness = this.#makeLiveness(init)
    this.root = this.#makeRoot(init)
    this.admission = new Admission(
      {
        limits: { ...defaultLimits(init.role), ...init.limits },
        nodeKey: init.nodeKey,
        ...(init.forward !== undefined && { forward: init.forward })
      },
      { db, commit, replica, clock, logger, events, ...(this.root !== undefined && { root: this.root }) }
    )
    const { records, liveness } = this
    this.#membership = new MembershipFollower({ replica, records, liveness, clock, logger, events })
    this.#age = this.#ageNow()
    watchRevokes(replica, this.alarms)
    watchOffered(events, this)
    this.#listen()
    this.liveness.start()
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
      write: (run) => commit.write(run),
      beforeWrite: (work) => commit.before(work),
      membership: {
        isMember: (publicKey) => replica.isMember(publicKey),
        isRevoked: (publicKey) => replica.state.isRevoked(publicKey)
      },
      onRecord: (event) => {
        const { publicKey, seq, registryKey, left, issuedMs } = event.record.value
        this.liveness.learned(publicKey, event.source)
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

  #makeRoot({ role, logKey, nodeKey, fence }: RegistryInit): Root | undefined {
    if (role !== 'root' || logKey === undefined) return undefined
    const { db, logger, replica } = this.#parts
    const root = new Root({ replica, logKey, nodeKey, logger, pauses: new Pauses(db) })
    if (fence !== undefined) root.fence(fence)
    return root
  }

  #makeLiveness({ nodeKey, liveness }: RegistryInit): Liveness {
    return new Liveness({
      ...this.#parts,
      self: nodeKey.publicKey,
      ...(liveness !== undefined && { timings: liveness }),
      isMember: (publicKey) => this.replica.isMember(publicKey),
      isRegistry: (publicKey) => isRegistryRole(this.replica.state.member(publicKey)?.role ?? 'external'),
      namedBy: (publicKey) => {
        const record = this.records.read(publicKey)
        return record && { seq: record.seq, holder: record.registryKey }
      },
      members: () => this.replica.state.memberCount,
      table: new NodeTable(this.#parts.db),
      write: (run) => this.#parts.commit.write(run),
      onHints: (hints) => {
        for (const hint of hints) this.events.dispatchEvent(new CustomEvent('hint', { detail: { hint } }))
      },
      onPulse: () => this.events.dispatchEvent(new CustomEvent('pulse'))
    })
  }

  #listen(): void {
    const { replica, events, alarms } = this
    replica.events.addEventListener('entries', ({ detail }) => {
      events.dispatchEvent(new CustomEvent('entries', { detail }))
    })
    replica.events.addEventListener('checkpoint', ({ detail }) => {
      this.#age = this.#ageNow()
      events.dispatchEvent(new CustomEvent('checkpoint', { detail }))
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
    await forgetRestored(new MetaTable(this.#parts.db), this.#parts.commit)
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
    await this.root?.close()
    await this.liveness.stop()
    commit.close()
    db.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
