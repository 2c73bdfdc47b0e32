export { probe } from './client.ts'
export { probeId } from './descriptor.ts'
export { probeServer } from './server.ts'
