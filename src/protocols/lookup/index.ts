export { type LookupOptions, LookupStream, lookup, lookupAll, type RemoteRow } from './client.ts'
export { lookupId } from './descriptor.ts'
export { lookupServer } from './server.ts'
