export { type LookupOptions, LookupStream, lookup, lookupAll } from './client.ts'
export { lookupId } from './descriptor.ts'
export { lookupServer } from './server.ts'
