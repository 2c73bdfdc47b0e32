import { etcdTarget, isEtcd } from '../../config/field-types/etcd-url.ts'
import { type StoreTarget, storeTarget } from '../../config/field-types/root-store-url.ts'
import { readSecret } from '../../config/secrets.ts'
import { ConfigError } from '../../errors.ts'
import { EtcdRootLog } from './etcd/etcd-root-log.ts'
import { PostgresRootLog } from './postgres-root-log.ts'
import type { SharedRootLog } from './shared-root-log.ts'

export interface EngineInit {
  /** Address, as `root.store` has it. */
  readonly store: string
  readonly networkId: Uint8Array
  readonly leaseMs: number
}

/** The engine that an address names. Nothing is dialled yet. @throws ConfigError, also for a secret that cannot be read */
export function openEngine({ store, networkId, leaseMs }: EngineInit): SharedRootLog {
  if (isEtcd(store)) {
    const target = etcdTarget(store)
    if ('problem' in target) throw new ConfigError([`root.store ${target.problem}`])
    return new EtcdRootLog({ target, networkId, leaseMs })
  }
  const target = storeTarget(store)
  if ('problem' in target) throw new ConfigError([`root.store ${target.problem}`])
  return new PostgresRootLog({ target, password: passwordOf(target), networkId, leaseMs })
}

/** Content of the file that the address names, where it names one: two databases have two passwords while the log moves. */
const passwordOf = ({ passwordFile }: StoreTarget): string | undefined =>
  readSecret('rootStorePassword', passwordFile === undefined ? {} : { env: {}, file: passwordFile })

/** @throws ConfigError for a secret of that database that cannot be read */
export function requireSecret(store: string): void {
  const target = isEtcd(store) ? undefined : storeTarget(store)
  if (target !== undefined && !('problem' in target)) passwordOf(target)
}
