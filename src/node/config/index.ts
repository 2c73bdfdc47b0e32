export { formatDuration, parseDuration } from './durations.ts'
export { configExample } from './example.ts'
export { etcdTarget, isEtcd } from './field-types/etcd-url.ts'
export { ownStore, rootStoreProblem } from './field-types/root-store-field.ts'
export { type Key, keys } from './keys.ts'
export { findConfigFile, type Loaded, loadConfig } from './load.ts'
export { configVersion, migrateConfig, versionKey } from './migrate.ts'
export { type ParseInit, parseConfig } from './parse.ts'
export {
  configCopyName,
  configWriter,
  migrateConfigFile,
  requireSavable,
  rewriteConfigFile,
  saveConfigValue,
  saveConfigValues,
  saveMissing
} from './save.ts'
export type { Config } from './schema.ts'
export { readSecret } from './secrets.ts'
