export { type LookupOptions, LookupStream, lookup, lookupAll, type RemotePage, type RemoteRow } from './client.ts'
export { lookupId, lookupProtocol } from './descriptor.ts'
export { type LookupServerComponents, type LookupServerInit, type LookupSource, lookupServer } from './server.ts'
