import { once } from 'node:events'
import { createServer } from 'node:net'
import { limitsWith } from '../../../src/protocols/engine/limits.ts'
import { probe } from '../../../src/protocols/probe/index.ts'
import { openRegisterSession } from '../../../src/protocols/register/index.ts'
import { memberRecord, nextSeq } from '../../harness/members/members.ts'
import type { Attack } from '../attack.ts'
import { again, HostileMember, rest } from '../member.ts'

const numbers = Array.from({ length: 20 }, (_, index) => 81 + index)
const addresses = 8
const limits = limitsWith()

/** A machine that has nothing to do with the network, and counts who dials it. */
async function bystander(onDial: () => void, signal: AbortSignal): Promise<string> {
  const server = createServer((socket) => {
    onDial()
    socket.on('error', () => {})
    socket.destroy()
  })
  server.listen({ host: '::1', port: 0 })
  await once(server, 'listening')
  signal.addEventListener('abort', () => server.close(), { once: true })
  const at = server.address()
  return typeof at === 'object' && at !== null ? `/ip6/::1/tcp/${at.port}` : ''
}

/** Members whose records name a bystander's addresses, and who have them probed without end. */
export const reflection: Attack = async (stage) => {
  const { tally, signal } = stage
  const dialled = (): void => tally.meet('dials that the bystander saw')
  const addrs = await Promise.all(Array.from({ length: addresses }, () => bystander(dialled, signal)))
  const members = await Promise.all(numbers.map((number) => HostileMember.start(number, stage)))
  await again(stage, members.length, async (lane) => {
    const member = members[lane]
    if (member === undefined) return
    const { networkId, key } = member
    const connection = await member.connection()
    const session = await openRegisterSession(connection, { limits })
    const instance = new Uint8Array(16).fill(lane)
    await session.register({ record: memberRecord(networkId, key, nextSeq(), { addrs }), instance })
    tally.send('records that name it')
    for (let next = 0; connection.status === 'open' && !signal.aborted; next++) {
      tally.send('probes')
      const addr = addrs[next % addrs.length] ?? ''
      const outcome = await probe(connection, addr, { networkId, limits, signal }).then(
        (reached) => (reached ? 'probe: reached' : 'probe: failed'),
        (error: Error) => `probe: ${error.name}`
      )
      tally.meet(outcome)
      await rest(100, signal)
    }
  })
}
