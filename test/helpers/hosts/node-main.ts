import { parseConfig } from '../../../src/node/config/index.ts'
import { createLogging } from '../../../src/node/logging.ts'
import { TrustNode } from '../../../src/node/node.ts'
import { ceilingMs } from '../ceiling.ts'

/**
 * A node for tests that must kill one: it runs until its standard input ends, and then it must end by itself. It prints what it shows of
 * others, and `block MS` on its input stops its event loop for so long.
 */
const { config } = parseConfig(JSON.parse(process.argv[2] ?? ''))
const logging = createLogging({ node: config.name, level: 'debug', format: 'json' })
const node = new TrustNode({ config, logging, control: false })
await node.start()
await node.joined({ signal: AbortSignal.timeout(ceilingMs) })
process.stdout.write(`joined ${node.peerId} ${node.attached.port}\n`)
node.attached.registry.events.addEventListener('hint', ({ detail: { hint } }) => {
  // A node that begins anew has none for a moment.
  const name = node.network?.registry.replica.state.member(hint.publicKey)?.name ?? '?'
  process.stdout.write(`shows ${name} ${hint.state} ${hint.reason}\n`)
})
process.stdin.on('data', (chunk: Buffer) => {
  const ms = /^block (\d+)$/m.exec(chunk.toString())?.[1]
  if (ms === undefined) return
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(ms))
  process.stdout.write('awake\n')
})
process.stdin.once('end', () => void node.stop('the test ends it'))
