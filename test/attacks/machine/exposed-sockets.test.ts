import { once } from 'node:events'
import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect } from 'vitest'
import { controlClient } from '../../../src/node/api/client.ts'
import { startControlServer } from '../../../src/node/control/server.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { silentLogger } from '../../../src/runtime/clock-and-logger.ts'
import { readAll } from '../../helpers/hosts/forward-members.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { attack, control } from '../attack.ts'

let network: TestNetwork
let caller: TrustNode
let called: TrustNode
/** A folder in which others may write. */
let folder: string
const servers: Server[] = []
const sockets: AsyncDisposable[] = []

const controlOf = (node: TrustNode): string => join(node.config.paths.runtime, `${node.config.name}.sock`)

beforeEach(async () => {
  network = await TestNetwork.create()
  ;[caller, called] = [await network.join('caller'), await network.join('called')]
  await eventually(() => caller.registry.replica.state.memberByName('called') !== undefined)
  for (const node of [caller, called]) {
    sockets.push(await startControlServer({ path: controlOf(node), api: node.control, logger: silentLogger }))
  }
  folder = join(network.folder, 'shared')
  mkdirSync(folder)
})
afterEach(async () => {
  for (const server of servers.splice(0)) server.close()
  for (const socket of sockets.splice(0)) await socket[Symbol.asyncDispose]()
  await network[Symbol.asyncDispose]()
})

async function serviceAt(path: string): Promise<void> {
  const server = createServer((socket) => socket.on('error', () => {}).end('app'))
  servers.push(server)
  server.listen(path)
  await once(server, 'listening')
}

/** Bytes that a member gets who asks for the status of the node, or why it gets none. */
async function asked(): Promise<string> {
  try {
    const bytes = await caller.forwards.call({ peer: 'called', service: 'app' })
    bytes.end('GET /v1/status HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
    return (await readAll(bytes)).toString()
  } catch (error) {
    return error instanceof Error ? error.name : String(error)
  }
}

describe('a local user who may write to the folder of a socket that is exposed', () => {
  attack('puts a link to a control socket there, for a member to be the operator of the node', async () => {
    const path = join(folder, 'app.sock')
    await serviceAt(path)
    called.forwards.expose('app', `unix:${path}`)
    // A link that leads nowhere, beside the control sockets, hides none of them.
    symlinkSync('circle', join(called.config.paths.runtime, 'circle'))
    const told: string[] = []
    for (const node of [called, caller]) {
      rmSync(path)
      symlinkSync(controlOf(node), path)
      told.push(await asked())
    }
    // The same through a folder.
    renameSync(folder, `${folder}-before`)
    symlinkSync(called.config.paths.runtime, folder)
    called.forwards.expose('app', `unix:${join(folder, 'app.sock')}`)
    expect(() => called.forwards.expose('app', `unix:${join(folder, 'called.sock')}`)).toThrow('members would be')
    expect(told).toEqual(['UnavailableError', 'UnavailableError'])
    return {
      happened: `${told.length} links, to its socket and to that of another node beside it: ${told.join(', ')}`,
      held: 'the socket that is connected to is the one that was looked at, and no control socket'
    }
  })

  control('what they put there else is called, and the control socket answers who may connect to it', async () => {
    const path = join(folder, 'app.sock')
    const other = join(folder, 'other.sock')
    await serviceAt(other)
    symlinkSync(other, path)
    called.forwards.expose('app', `unix:${path}`)
    expect(await asked()).toBe('app')
    expect(await controlClient({ path: controlOf(called) }).status()).toMatchObject({ self: { name: 'called' } })
  })
})
