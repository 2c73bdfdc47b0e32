import type { TypedEventTarget } from 'main-event'
import type { Liveness } from '../../registry/liveness/liveness.ts'
import type { AuthorityRevocations } from '../../registry/log/epochs/authority-revocations.ts'
import type { Replica } from '../../registry/log/replica.ts'
import type { RecordEvent, Records } from '../../registry/records/records.ts'
import type { Cosignatures } from '../../registry/witness/cosignatures.ts'

export interface SyncEvents {
  record: CustomEvent<Pick<RecordEvent, 'record' | 'change'>>
  hint: CustomEvent<unknown>
  pulse: CustomEvent<unknown>
  ended: CustomEvent<{ publicKey: Uint8Array }>
}

/** Source that sync serves from: the parts of a registry that it reads. */
export interface SyncSource {
  readonly networkId: Uint8Array
  /** Random, per database: a cursor of another one means nothing here. */
  readonly storeId: Uint8Array
  readonly events: TypedEventTarget<SyncEvents>
  readonly replica: Pick<
    Replica,
    | 'head'
    | 'checkpoint'
    | 'events'
    | 'linkHash'
    | 'resumePoint'
    | 'read'
    | 'readLive'
    | 'hasSnapshotAt'
    | 'delegations'
  > & { readonly authorityRevocations: Pick<AuthorityRevocations, 'after'> }
  readonly cosignatures: Pick<Cosignatures, 'of' | 'since' | 'events'>
  readonly records: Pick<Records, 'lastChange' | 'changesAfter' | 'prepareDigest' | 'digest' | 'inBuckets'>
  readonly liveness: Pick<Liveness, 'hintsAfter'>
  replicaAgeMs(): number
}

/** Target that sync writes to: the parts of a registry that verify and keep. */
export interface SyncTarget {
  readonly networkId: Uint8Array
  readonly replica: Pick<
    Replica,
    'position' | 'verify' | 'follow' | 'stage' | 'staged' | 'leaveStage' | 'dropStaged'
  > & {
    readonly authorityRevocations: Pick<AuthorityRevocations, 'enforce'>
  }
  readonly cosignatures: Pick<Cosignatures, 'take'>
  readonly records: Pick<Records, 'put' | 'prepareDigest' | 'digest'>
  readonly liveness: Pick<Liveness, 'hear'>
}
