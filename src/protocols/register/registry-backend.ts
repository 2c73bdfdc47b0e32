import type { TypedEventTarget } from 'main-event'
import type { Admission } from '../../registry/admission/admission.ts'
import type { Liveness } from '../../registry/liveness/liveness.ts'
import type { NetworkState } from '../../registry/log/state/network-state.ts'
import type { Checkpoint } from '../../registry/objects/checkpoint.ts'
import type { Signed } from '../../registry/objects/envelope.ts'
import { grantIdShown } from '../../registry/objects/join.ts'
import type { Records } from '../../registry/records/records.ts'
import type { Cosignatures } from '../../registry/witness/cosignatures.ts'
import type { RegisterBackend, RegisterBackendEvents } from './backend.ts'

/** The parts of the registry in this process that sessions are served from. */
export interface SessionRegistry {
  readonly networkId: Uint8Array
  readonly events: TypedEventTarget<RegisterBackendEvents>
  readonly records: Pick<Records, 'put' | 'get' | 'sample'>
  readonly liveness: Pick<Liveness, 'open'>
  readonly admission: Pick<Admission, 'join' | 'renew' | 'forget' | 'rotate' | 'reissueEntry'>
  readonly replica: {
    readonly state: Pick<NetworkState, 'member' | 'isRevoked' | 'registries' | 'grant'>
    readonly checkpoint: Signed<Checkpoint> | undefined
    isMember(publicKey: Uint8Array): boolean
  }
  readonly cosignatures: Pick<Cosignatures, 'of'>
  replicaAgeMs(): number
}

/** Serves sessions from the registry in this process. */
export function registryBackend(registry: SessionRegistry): RegisterBackend {
  const { admission, liveness, records, replica } = registry
  const member: RegisterBackend['member'] = (publicKey) =>
    replica.isMember(publicKey) ? replica.state.member(publicKey) : undefined
  return {
    networkId: registry.networkId,
    events: registry.events,
    member,
    admitOf: (publicKey) => replica.state.member(publicKey)?.admit.bytes,
    isRevoked: (publicKey) => replica.state.isRevoked(publicKey),
    isInvited: (join) => {
      const grantId = grantIdShown(join)
      return grantId !== undefined && replica.state.grant(grantId) !== undefined
    },
    join: (bundle) => admission.join(bundle),
    renew: (request, signer) => admission.renew(request, signer),
    forget: (request, signer) => admission.forget(request, signer),
    rotate: (proofs, signer) => admission.rotate(proofs, signer),
    reissueEntry: (entry, from) => admission.reissueEntry(entry, from),
    put: (record, options) => records.put(record, { source: 'session', ...options }),
    record: (publicKey) => records.get(publicKey)?.envelope,
    sample: (count) => records.sample(count).map(({ envelope }) => envelope),
    registries: () => replica.state.registries().flatMap(({ publicKey }) => records.get(publicKey)?.envelope ?? []),
    checkpoint: () => replica.checkpoint,
    cosignatures: (checkpoint) => registry.cosignatures.of(checkpoint),
    replicaAgeMs: () => registry.replicaAgeMs(),
    openLease: (publicKey, instance) => liveness.open(publicKey, instance)
  }
}
