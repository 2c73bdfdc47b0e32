import { ceilingMs } from '../helpers/ceiling.ts'
import { TestNetwork } from '../helpers/network.ts'

/** A program: nodes that join one after the other. Arguments: address of the root, network id, how many, what their names begin with. Prints the ms of each. */
const [root = '', networkId = '', count = '', prefix = 'honest'] = process.argv.slice(2)
const ms: number[] = []
// Timers of nodes keep no process alive.
const alive = setInterval(() => {}, ceilingMs)
await using network = new TestNetwork({ 'announce.allow': ['ula'] })
network.networkId = networkId
for (let index = 0; index < Number(count); index++) {
  const node = network.make(`${prefix}-${index}`, { 'bootstrap.peers': [root] })
  const begun = performance.now()
  await node.start()
  await node.joined({ signal: AbortSignal.timeout(ceilingMs) })
  ms.push(Math.round(performance.now() - begun))
}
clearInterval(alive)
process.stdout.write(`${JSON.stringify(ms)}\n`)
