export { type Kad, kad, kadProtocol } from './kad.ts'
