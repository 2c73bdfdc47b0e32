export { ask } from './client.ts'
export {
  type AdminAnswered,
  type AdminCall,
  decodeQuestion,
  encodeQuestion,
  type Question
} from './messages.ts'
export { type AdminServerInit, adminServer } from './server.ts'
