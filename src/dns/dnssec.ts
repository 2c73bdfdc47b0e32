import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv4 } from 'node:net'
import { AUTHENTIC_DATA, type DecodedPacket, encode, RECURSION_DESIRED } from 'dns-packet'
import { resolverParts } from '../address/spelling.ts'
import { decodeBounded } from './bounded-decode.ts'

/** State of the chain of signatures above a name, as a resolver says. It decides nothing: pins do. */
export type DnssecState = 'authenticated' | 'unsigned' | 'broken' | 'unknown'

const answerMs = 3000
const servfail = 2

const queryOf = (name: string, checkingDisabled: boolean): Buffer =>
  encode({
    type: 'query',
    id: Math.floor(Math.random() * 65_536),
    flags: RECURSION_DESIRED | AUTHENTIC_DATA | (checkingDisabled ? 0x10 : 0),
    questions: [{ type: 'AAAA', name, class: 'IN' }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: 1232,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0x8000,
        flag_do: true,
        options: []
      }
    ]
  })

/** Node's own resolver does not show the AD bit: it is asked for by hand. `server` is written as a resolver is. */
export const dnssecOf = async (name: string, server: string): Promise<DnssecState> => {
  const answer = await askRaw(queryOf(name, false), server)
  if (answer === undefined) return 'unknown'
  const rcode = (answer.flags ?? 0) & 0xf
  if (rcode !== servfail) return answer.flag_ad ? 'authenticated' : 'unsigned'
  // A resolver that validates fails where the chain is broken, and answers when it is told not to look.
  const unchecked = await askRaw(queryOf(name, true), server)
  return unchecked !== undefined && ((unchecked.flags ?? 0) & 0xf) !== servfail ? 'broken' : 'unknown'
}

const askRaw = async (query: Buffer, server: string): Promise<DecodedPacket | undefined> => {
  const socket = createSocket(isIPv4(server.split(':')[0] ?? '') ? 'udp4' : 'udp6')
  try {
    const { host, port } = resolverParts(server)
    const heard = once(socket, 'message', { signal: AbortSignal.timeout(answerMs) })
    socket.send(query, port, host)
    const [message]: Buffer[] = await heard
    return message === undefined ? undefined : decodeBounded(message)
  } catch {
    return undefined
  } finally {
    socket.close()
  }
}
