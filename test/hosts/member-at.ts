import { ceilingMs } from '../helpers/ceiling.ts'
import { TestNetwork } from '../helpers/network.ts'

/** A program: a node that joins and announces these addresses, until it is ended. Arguments: address of the root, network id, addresses with commas, name, port to listen on. Prints `joined`. */
const [root = '', networkId = '', addresses = '', name = 'mallory', port = '0'] = process.argv.slice(2)
// Timers of nodes keep no process alive.
setInterval(() => {}, ceilingMs)
const network = new TestNetwork({ 'announce.allow': ['ula'] })
network.networkId = networkId
const node = network.make(name, {
  'bootstrap.peers': [root],
  'announce.addresses': addresses.split(','),
  'listen.port': port
})
await node.start()
await node.joined({ signal: AbortSignal.timeout(ceilingMs) })
process.stdout.write('joined\n')
