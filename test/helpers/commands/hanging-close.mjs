// Loaded before the program: its control socket never says that it is closed.
import { Server } from 'node:http'

Server.prototype.close = function close() {
  return this
}
