export { ask } from './client.ts'
export {
  type AdminAnswered,
  type AdminCall,
  decodeQuestion,
  encodeQuestion,
  type Question
} from './messages.ts'
export { adminServer } from './server.ts'
