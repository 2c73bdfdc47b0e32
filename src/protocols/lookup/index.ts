export { type LookupOptions, LookupStream, lookup, lookupAll, type RemotePage } from './client.ts'
export { lookupId } from './descriptor.ts'
export { lookupServer } from './server.ts'
