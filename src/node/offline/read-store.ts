/** Questions of the installer to a store that no process has open. */
export { peekGenesis } from '../../registry/registry.ts'
export { checkStoreVersion } from '../../registry/store/database.ts'
