export { type AdminOptions, ask } from './client.ts'
export { adminId } from './descriptor.ts'
export {
  type AdminAnswered,
  type AdminCall,
  decodeQuestion,
  encodeQuestion,
  type Question,
  type SignedQuestion
} from './messages.ts'
export { type AdminServerInit, adminServer } from './server.ts'
