import { randomBytes } from 'node:crypto'
import { multiaddr } from '@multiformats/multiaddr'
import { SigningKey } from '../../src/identity/keys.ts'
import { parseNetworkId } from '../../src/identity/network-id.ts'
import { limitsWith } from '../../src/protocols/engine/limits.ts'
import { openRegisterSession } from '../../src/protocols/register/index.ts'
import { makeJoin } from '../../src/registry/objects/join.ts'
import { sealRecord } from '../../src/registry/objects/record.ts'
import { startPlainHost } from '../helpers/hosts.ts'

/**
 * A program: joins without an invite, each with a new key, until the root has told so many of them that they wait. Arguments: address of the
 * root, network id, how many. Prints how many wait so far.
 */
const [root = '', network = '', count = ''] = process.argv.slice(2)
const networkId = parseNetworkId(network)
const limits = limitsWith()
let waiting = 0
let number = 0

const ask = async (): Promise<void> => {
  const key = SigningKey.generate()
  const host = await startPlainHost({ privateKey: key.toLibp2p() })
  try {
    const connection = await host.dial(multiaddr(root), { signal: AbortSignal.timeout(5_000) })
    const session = await openRegisterSession(connection, { limits })
    const join = makeJoin({ networkId, key, name: `bot-${number++}`, role: 'integrated', timeMs: Date.now() })
    const record = sealRecord(
      {
        networkId,
        publicKey: key.publicKey,
        seq: 1,
        addrs: [],
        roles: ['integrated'],
        services: [],
        tags: [],
        software: 'bot',
        reach: 'unknown',
        left: false,
        issuedMs: Date.now()
      },
      key
    )
    await session.register({ record: record.bytes, instance: Uint8Array.from(randomBytes(16)), join })
  } catch (error) {
    if (error instanceof Error && error.name === 'PendingError') waiting++
    else if (process.env['DEBUG_JOINS'] !== undefined) process.stderr.write(`${String(error)}\n`)
  } finally {
    await host.stop()
  }
}

const keepAsking = async (): Promise<void> => {
  while (waiting < Number(count)) await ask()
}

const alive = setInterval(() => process.stdout.write(`${waiting}\n`), 500)
await Promise.all([keepAsking(), keepAsking(), keepAsking(), keepAsking()])
clearInterval(alive)
process.stdout.write(`${waiting}\n`)
