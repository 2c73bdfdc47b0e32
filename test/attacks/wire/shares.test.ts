import { once } from 'node:events'
import { createServer, connect as dial, type Socket } from 'node:net'
import type { Connection } from '@libp2p/interface'
import { afterEach, beforeEach, describe, expect } from 'vitest'
import { takeTurns } from '../../../src/node/host/coalesced-tcp.ts'
import { FrameStream } from '../../../src/protocols/engine/frames.ts'
import { SyncCursors, sync, syncId } from '../../../src/protocols/sync/index.ts'
import { SyncFrame, SyncRequest } from '../../../src/protocols/sync/pb/sync.ts'
import { sealRecord } from '../../../src/registry/objects/record.ts'
import { silentLogger } from '../../../src/runtime/clock-and-logger.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { keyNumber, type RegistryHost, RegistryNetwork } from '../../helpers/hosts/registries.ts'
import { connect } from '../../helpers/hosts.ts'
import { aRecord } from '../../helpers/signed-objects.ts'
import { attack, control } from '../attack.ts'

let network: RegistryNetwork

beforeEach(() => {
  network = new RegistryNetwork()
})

afterEach(() => network[Symbol.asyncDispose]())

/** Resolves when the subscription is caught up. */
async function subscribe(connection: Connection, to: RegistryHost): Promise<void> {
  const frames = new FrameStream(await connection.newStream(syncId), { maxFrame: 262_144, limits: to.limits.stream })
  const { networkId } = to.registry
  await frames.write(SyncRequest.encode({ version: 1, networkId, hash: networkId, subscribe: true, records: true }))
  for await (const frame of frames) if (SyncFrame.decode(frame).caughtUp) return
  throw new Error('the subscription was refused')
}

const places = 4

/** A root with so many places for subscriptions of records, of which a few members take as many as they can; then an honest one comes. */
async function crowded(keys: number) {
  const root = await network.startRoot(keys + 1, { sync: { recordSubscribers: places } })
  for (let number = 1; number <= keys; number++) {
    const greedy = await network.startFollower(root, keyNumber(number))
    for (let opened = 0; opened < places / 2; opened++) {
      await subscribe(await connect(greedy.host, root.host), root)
    }
  }
  const honest = await network.startFollower(root, keyNumber(keys + 1))
  const caughtUp = Promise.withResolvers<void>()
  const options = { limits: honest.limits, logger: silentLogger, subscribe: true, records: true }
  const ended = sync(await connect(honest.host, root.host), honest.registry, {
    ...options,
    cursors: new SyncCursors(),
    onCaughtUp: () => caughtUp.resolve()
  })
  ended.catch(() => {})
  await caughtUp.promise
  return { root, honest }
}

describe('places that few members take', () => {
  attack('two members open subscription after subscription of the records', async () => {
    const { root, honest } = await crowded(2)
    expect(root.host.services.sync).toMatchObject({ subscribers: 5, recordSubscribers: 3 })
    const { networkId } = root.registry
    const key = keyNumber(1)
    await root.registry.records.put(sealRecord({ ...aRecord, networkId, publicKey: key.publicKey, seq: 1 }, key).bytes)
    await expect.poll(() => honest.registry.records.count(), { timeout: ceilingMs }).toBe(1)
    return { happened: `of ${places} places they have one each, the newcomer got one`, held: 'sync.recordSubscribers' }
  })

  control('as many members as there are places leave none', async () => {
    const { root } = await crowded(places)
    expect(root.host.services.sync).toMatchObject({ recordSubscribers: places })
  })
})

const KiB = 1024
const sent = 512 * KiB

/** The most that one turn of the event loop is given of a socket on which all of it waits already. */
async function mostInATurn(prepare: (socket: Socket) => void): Promise<number> {
  let inTurn = 0
  let most = 0
  let all = 0
  const accepted = Promise.withResolvers<Socket>()
  const server = createServer({ pauseOnConnect: true }, (socket) => accepted.resolve(socket))
  server.listen({ host: '::1', port: 0 })
  await once(server, 'listening')
  const address = server.address()
  const client = dial({ host: '::1', port: typeof address === 'object' && address !== null ? address.port : 0 })
  // All of it waits in the buffers of the system when it was written.
  const written = new Promise((resolve) => client.write(new Uint8Array(sent), resolve))
  const socket = await accepted.promise
  prepare(socket)
  const done = Promise.withResolvers<void>()
  socket.on('data', ({ length }) => {
    if (inTurn === 0) setImmediate(() => (inTurn = 0))
    inTurn += length
    all += length
    most = Math.max(most, inTurn)
    if (all === sent) done.resolve()
  })
  await written
  socket.resume()
  await done.promise
  client.destroy()
  server.close()
  return most
}

describe('connections that send without end', () => {
  attack('fill a turn of the event loop with what waits on each of them', async () => {
    const most = await mostInATurn(takeTurns)
    expect(most).toBeLessThanOrEqual(192 * KiB)
    return {
      happened: `of ${sent / KiB} KiB at most ${most / KiB} are taken in one turn`,
      held: 'a connection takes turns'
    }
  })

  control('more is taken in one turn without it', async () => {
    expect(await mostInATurn(() => {})).toBeGreaterThan(192 * KiB)
  })
})
