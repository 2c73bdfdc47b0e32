export { HttpServer } from './server.ts'
export { readToken } from './token.ts'
