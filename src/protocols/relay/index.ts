export { reserveAt } from './client.ts'
export { hopId } from './descriptor.ts'
export { type RelayServer, relayServer } from './server.ts'
export { relayTransport } from './transport.ts'
