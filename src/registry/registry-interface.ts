import type { TypedEventTarget } from 'main-event'
import type { SigningKey } from '../identity/keys.ts'
import type { Role } from '../identity/role.ts'
import type { Clock, Logger } from '../runtime/clock-and-logger.ts'
import type { Supervisor } from '../runtime/supervisor.ts'
import type { Admission } from './admission/admission.ts'
import type { RegistryLimits } from './admission/limits.ts'
import type { Alarms } from './alarms.ts'
import type { BackupManifest } from './backup/manifest.ts'
import type { Documents } from './documents/documents.ts'
import type { RegistryEvents } from './events.ts'
import type { History } from './history/history.ts'
import type { PastStates } from './history/past-states.ts'
import type { Liveness, LivenessTimings } from './liveness/liveness.ts'
import type { Root } from './log/log-writer.ts'
import type { Replica } from './log/replica.ts'
import type { LogCommit } from './log/root-log/log-commit.ts'
import type { Signed } from './objects/envelope.ts'
import type { Genesis } from './objects/genesis.ts'
import type { LookupPage, LookupQuery } from './records/lookup.ts'
import type { Records } from './records/records.ts'
import type { Meta, RestoredFrom } from './store/node-values.ts'
import type { Cosignatures } from './witness/cosignatures.ts'
import type { Finality } from './witness/finality.ts'

export interface RegistryInit {
  /** The database file. Files beside it have its name and an ending. */
  path: string
  role: Role
  /** Key of this node; the registry signs receipts with it. */
  nodeKey: SigningKey
  /** Envelope. Needed for a new store, must fit to an older one. */
  genesis?: Uint8Array
  /** There for the role root, and for no other. */
  root?: RootPowers
  limits?: Partial<RegistryLimits>
  liveness?: Partial<LivenessTimings>
}

/** Keys of the one who appends to the log, and what holds it back. */
export interface RootPowers {
  /** Signs the log. */
  logKey: SigningKey
  /** Key of the operator of this machine: signs what is asked for here. */
  operatorKey?: SigningKey | undefined
  /** The reason why nothing is appended yet: until `root.release()`. */
  fence?: string
  /** The way into a history that an engine keeps; without it the store keeps it. */
  log?: ((replica: Replica) => LogCommit) | undefined
}

/** Parts that a registry shares with its process; its own by default. */
export interface RegistryComponents {
  clock?: Clock
  logger?: Logger
  /** Runs what goes on in rounds, and knows how it is. */
  services?: Supervisor
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
  /** Words of witnesses about the log. */
  readonly cosignatures: Cosignatures
  /** The part of the log for which enough witnesses stand. */
  readonly finality: Finality
  readonly records: Records
  readonly liveness: Liveness
  readonly history: History
  readonly past: PastStates
  readonly admission: Admission
  readonly documents: Documents
  /** There when this process may append to the log. */
  readonly root: Root | undefined
  readonly alarms: Alarms
  readonly meta: Meta
  /** One page of members; follow `next`. */
  lookup(query: LookupQuery): LookupPage
  /** Names of members that people may take for this one. */
  namesLike(name: string): string[]
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
