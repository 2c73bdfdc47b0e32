export { type Kad, type KadInit, type KadOptions, kad, kadProtocol } from './kad.ts'
export type { KadSource } from './validate.ts'
