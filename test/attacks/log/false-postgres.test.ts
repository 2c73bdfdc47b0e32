import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { storeTarget } from '../../../src/node/config/field-types/root-store-url.ts'
import { PostgresRootLog } from '../../../src/node/root/store/postgres-root-log.ts'
import { refusalOf } from '../../helpers/log-network.ts'
import { certify } from '../../helpers/servers/certificates.ts'
import { attack, control } from '../attack.ts'

type Values = Readonly<Record<string, string>>
/** Values of the row that is answered, or what is sent in the place of an answer. */
type Given = Values | ((socket: Socket) => void)

const types = { bytea: 17, text: 25, float8: 701 }
const right: Values = {
  epoch: '0',
  n: '5',
  hash: `\\x${'ab'.repeat(32)}`,
  checkpoint: '\\x01',
  holder: 'a',
  term: '1',
  left_ms: '1000',
  clock_ms: '1000',
  first_n: '1'
}

const int = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const short = (value: number): Buffer => int(value).subarray(2)
const message = (code: string, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(code), int(body.length + 4), body])
}
const typeOf = (name: string): number => {
  if (name === 'holder') return types.text
  return name === 'hash' || name === 'checkpoint' ? types.bytea : types.float8
}
const columns = (values: Values): Buffer => {
  const fields = Object.keys(values).map((name) =>
    Buffer.concat([Buffer.from(`${name}\0`), int(0), short(0), int(typeOf(name)), short(-1), int(-1), short(0)])
  )
  return message('T', short(fields.length), ...fields)
}
const row = (values: Values): Buffer => {
  const fields = Object.values(values).map((value) => Buffer.concat([int(value.length), Buffer.from(value)]))
  return message('D', short(fields.length), ...fields)
}
const ready = message('Z', Buffer.from('I'))
const done = Buffer.concat([message('C', Buffer.from('SELECT 1\0')), ready])
const parsed = Buffer.concat([message('1'), message('2')])

/** Sends it again and again, as fast as it is taken. */
const endlessly =
  (bytes: Buffer, before = Buffer.alloc(0)) =>
  (socket: Socket): void => {
    const more = (): void => {
      while (!socket.destroyed && socket.write(bytes));
    }
    socket.write(before)
    socket.on('drain', more)
    more()
  }

const filling = Buffer.alloc(65_536, 'a')
const notices = endlessly(message('N', Buffer.from('SNOTICE\0M'), filling, Buffer.from('\0\0')))
const rowOfAGigabyte = Buffer.concat([Buffer.from('D'), int(2 ** 30), short(1), int(2 ** 30 - 10)])

const endless: readonly (readonly [string, Given])[] = [
  [
    'rows',
    endlessly(Buffer.concat(Array.from({ length: 500 }, () => row(right))), Buffer.concat([parsed, columns(right)]))
  ],
  ['a row of 1 GiB', endlessly(filling, Buffer.concat([parsed, columns(right), rowOfAGigabyte]))],
  ['notices', notices]
]

const strange: readonly (readonly [string, Values])[] = [
  ['a term that is no number', { ...right, term: 'NaN' }],
  ['a term below zero', { ...right, term: '-1' }],
  ['a head beyond all numbers', { ...right, n: '1e300' }],
  ['half an epoch', { ...right, epoch: '0.5' }],
  ['half a hash', { ...right, hash: '\\xabab' }]
]

/** More than an answer may have and what the kernel holds of a connection; far less than is taken in the time of a statement. */
const mostTaken = 64 * 1_048_576

const folder = mkdtempSync(join(tmpdir(), 'trustnet-false-postgres-'))
const file = (name: string): string => join(folder, name)
/** A login begins with its length and the version 3.0 of the protocol, the wish for TLS with another number. */
const tlsWanted = 80_877_103

describe('who answers in the place of a PostgreSQL', () => {
  let given: Given = right
  let atLogin: ((socket: Socket) => void) | undefined
  let server: Server
  const sockets = new Set<Socket>()

  const serve = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('error', () => {})
    let isIn = false
    socket.on('data', (bytes) => {
      if (!isIn && bytes.readInt32BE(4) === tlsWanted) {
        socket.removeAllListeners('data')
        const [key, cert] = [readFileSync(file('member.key')), readFileSync(file('member.crt'))]
        const secure = new TLSSocket(socket, { isServer: true, key, cert })
        socket.write('S')
        serve(secure)
      } else if (!isIn) {
        isIn = true
        if (atLogin === undefined) socket.write(Buffer.concat([message('R', int(0)), ready]))
        else atLogin(socket)
      } else if (bytes[0] === 'Q'.charCodeAt(0)) socket.write(done)
      else if (typeof given === 'function') given(socket)
      else socket.write(Buffer.concat([parsed, columns(given), row(given), done]))
    })
  }
  const taken = (): number => Math.max(0, ...[...sockets].map(({ bytesWritten }) => bytesWritten))

  beforeAll(async () => {
    await certify(folder)
    server = createServer(serve)
    server.listen({ host: '::1', port: 0, ipv6Only: true })
    await once(server, 'listening')
  })

  afterAll(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
    rmSync(folder, { recursive: true, force: true })
  })

  const openLog = (rest = ''): PostgresRootLog => {
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const target = storeTarget(`postgres://trustnet@[::1]:${port}/log${rest}`)
    if ('problem' in target) throw new Error(target.problem)
    return new PostgresRootLog({ target, networkId: new Uint8Array(32).fill(7), leaseMs: 3000, connectMs: 10_000 })
  }

  const ways = ['', `?sslrootcert=${file('ca.crt')}`]

  control('an answer of the right form is taken', async () => {
    for (const way of ways) {
      await using log = openLog(way)
      given = right
      expect(await log.state()).toMatchObject({ head: { epoch: 0, n: 5 }, lease: { holder: 'a', term: 1 }, firstN: 1 })
    }
  })

  attack('answers without an end: to a question, to a login, and unasked', async () => {
    for (const [name, answer, way] of ways.flatMap((each) => endless.map(([...rest]) => [...rest, each] as const))) {
      sockets.clear()
      await using log = openLog(way)
      given = answer
      expect([name, await refusalOf(log.state())]).toEqual([name, 'UnavailableError'])
      expect([name, taken() < mostTaken]).toEqual([name, true])
    }
    sockets.clear()
    await using asking = openLog()
    atLogin = notices
    expect(await refusalOf(asking.state())).toBe('UnavailableError')
    expect(taken()).toBeLessThan(mostTaken)
    sockets.clear()
    atLogin = undefined
    given = right
    await using idle = openLog()
    await idle.state()
    const closed = Promise.all([...sockets].map(async (socket) => await once(socket, 'close').catch(String)))
    for (const socket of sockets) notices(socket)
    await closed
    expect(taken()).toBeLessThan(mostTaken)
    return {
      happened: 'rows, a row of 1 GiB and notices: the connection is cut before 64 MiB, at whatever moment they come',
      held: 'a connection takes 20 MiB between one statement and the next'
    }
  })

  attack('gives values of another form', async () => {
    await using log = openLog()
    for (const [name, values] of strange) {
      given = values
      expect([name, await refusalOf(log.state())]).toEqual([name, 'UnavailableError'])
    }
    return {
      happened: `${strange.length} answers: each is an error of the root's store`,
      held: 'numbers are whole and not below zero, a hash has 32 bytes'
    }
  })
})
