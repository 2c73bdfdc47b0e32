import { parseConfig } from '../../src/node/config/index.ts'
import { createLogging } from '../../src/node/logging.ts'
import { TrustNode } from '../../src/node/node.ts'

/** A node for tests that must kill one: it runs until its standard input ends, and then it must end by itself. */
const { config } = parseConfig(JSON.parse(process.argv[2] ?? ''))
const logging = createLogging({ node: config.name, level: 'debug', format: 'json' })
const node = new TrustNode({ config, logging, control: false })
await node.start()
await node.joined({ signal: AbortSignal.timeout(10_000) })
process.stdout.write(`joined ${node.peerId} ${node.attached.port}\n`)
process.stdin.resume().once('end', () => void node.stop('the test ends it'))
