import { Duplex } from 'node:stream'
import { expect, test } from 'vitest'
import { startForwardMember } from '../../../helpers/hosts/forward-members.ts'
import { withSockets } from '../../../helpers/hosts.ts'
import { eventually } from '../../../helpers/network.ts'
import { disposeAfterTest } from '../../../helpers/vitest/dispose-after-test.ts'

withSockets()

const piece = Buffer.alloc(64 * 1024)

/** A service that has so many pieces in each turn of the event loop. */
const pouring = (pieces: number): Duplex =>
  new Duplex({
    read() {
      setImmediate(() => {
        for (let at = 0; at < pieces; at++) this.push(piece)
      })
    },
    write: (_chunk, _encoding, done) => done()
  })

test('a service of which much is there at once has no more than one of which a piece is there', async () => {
  const members = new Map()
  const server = await startForwardMember({
    members,
    serve: async (_, service) => pouring(service === 'much' ? 32 : 1)
  })
  const client = await startForwardMember({ members })
  disposeAfterTest(server, client)
  const calls = await Promise.all(['much', 'little', 'much'].map(async (service) => await client.call(server, service)))
  for (const { socket } of calls) socket.on('error', () => {}).resume()
  const [first, little, last] = calls.map(({ forward }) => forward)
  await eventually(() => (little?.bytesIn ?? 0) >= 64 * piece.length)
  for (const much of [first, last]) expect((much?.bytesIn ?? 0) / (little?.bytesIn ?? 1)).toBeLessThan(2)
})
