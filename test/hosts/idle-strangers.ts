import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'

/**
 * A program: strangers with a key and nothing to say, each from an address of its own in a /64, each with a new connection when the last was closed.
 * Arguments: address of the root, prefixes (four groups each, with commas), how many. Prints how many connections were made so far.
 */
const [root = '', prefixes = '', count = ''] = process.argv.slice(2)
const nets = prefixes.split(',')
let made = 0

async function stay(number: number): Promise<void> {
  const localAddress = `${nets[number % nets.length] ?? ''}::${(number + 1).toString(16)}`
  // An option of Node's, which libp2p passes on and does not list.
  const dialOpts = { keepAlive: true, localAddress }
  const host = await createLibp2p({
    transports: [tcp({ dialOpts })],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: { reconnectRetries: 0 },
    connectionMonitor: { enabled: false }
  })
  for (;;) {
    try {
      const connection = await host.dial(multiaddr(root), { force: true, signal: AbortSignal.timeout(5_000) })
      made++
      await new Promise((resolve) => connection.addEventListener('close', resolve, { once: true }))
    } catch {
      // It comes again, like after a close.
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000))
  }
}

setInterval(() => process.stdout.write(`${made}\n`), 200)
await Promise.all(Array.from({ length: Number(count) }, (_, number) => stay(number)))
