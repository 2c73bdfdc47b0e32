export { checkStoreVersion } from './store/database.ts'
