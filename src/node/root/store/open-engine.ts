import { etcdTarget, isEtcd } from '../../config/field-types/etcd-url.ts'
import { storeTarget } from '../../config/field-types/root-store-url.ts'
import { ConfigError } from '../../errors.ts'
import { EtcdRootLog } from './etcd/etcd-root-log.ts'
import { PostgresRootLog } from './postgres-root-log.ts'
import type { SharedRootLog } from './shared-root-log.ts'

export interface EngineInit {
  /** Address, as `root.store` has it. */
  readonly store: string
  readonly password: string | undefined
  readonly networkId: Uint8Array
  readonly leaseMs: number
}

/** The engine that an address names. Nothing is dialled yet. @throws ConfigError */
export function openEngine({ store, password, networkId, leaseMs }: EngineInit): SharedRootLog {
  if (isEtcd(store)) {
    const target = etcdTarget(store)
    if ('problem' in target) throw new ConfigError([`root.store ${target.problem}`])
    return new EtcdRootLog({ target, networkId, leaseMs })
  }
  const target = storeTarget(store)
  if ('problem' in target) throw new ConfigError([`root.store ${target.problem}`])
  return new PostgresRootLog({ target, password, networkId, leaseMs })
}
