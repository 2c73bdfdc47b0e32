import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Answer, type DecodedPacket, decode, encode, type Packet } from 'dns-packet'
import { afterAll, beforeAll, describe, expect, onTestFinished } from 'vitest'
import { parseIp6 } from '../../../src/address/ipv6.ts'
import { memberAddress } from '../../../src/address/multiaddr.ts'
import { NameServer } from '../../../src/dns/name-server.ts'
import { keyId } from '../../../src/identity/key-id.ts'
import { SigningKey } from '../../../src/identity/keys.ts'
import { announcesLoopback, namedAddresses } from '../../../src/node/names/named-addresses.ts'
import { makeJoin } from '../../../src/registry/objects/join.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { recordBy } from '../../helpers/real-network.ts'
import { attack, control } from '../attack.ts'

const query = (more: Packet = {}): Buffer =>
  encode({ type: 'query', id: 7, flags: 0x0100, questions: [{ type: 'AAAA', name: 'root.net.test' }], ...more })

const framed = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes])

/** Asks until it is answered: one of too many is dropped, and every asker asks again. */
const askUdp = async (port: number, bytes: Buffer): Promise<DecodedPacket> => {
  const socket = createSocket('udp6')
  const ask = (): void => socket.send(bytes, port, '::1')
  const again = setInterval(ask, 300)
  try {
    ask()
    const [answer] = (await once(socket, 'message', { signal: AbortSignal.timeout(ceilingMs) })) as [Buffer]
    return decode(answer)
  } finally {
    clearInterval(again)
    socket.close()
  }
}

const opened = async (port: number): Promise<Socket> => {
  const socket = connect(port, '::1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

const askTcp = async (port: number, bytes = query()): Promise<DecodedPacket> => {
  const socket = await opened(port)
  socket.write(framed(bytes))
  const [answer] = (await once(socket, 'data', { signal: AbortSignal.timeout(ceilingMs) })) as [Buffer]
  socket.destroy()
  return decode(answer.subarray(2))
}

/** Number of the type of records that names of addresses have. */
const ptr = 12
const rootName = ['root', 'net', 'test']

/** A question whose labels are these bytes, whatever they are. */
const rawQuery = (labels: readonly Buffer[], flags = 0x0100, count = 1): Buffer => {
  const head = Buffer.alloc(12)
  for (const [index, value] of [7, flags, count].entries()) head.writeUInt16BE(value, 2 * index)
  const name = labels.flatMap((label) => [Buffer.from([label.length]), label])
  const again = Array.from({ length: count - 1 }, () => Buffer.from([0xc0, 12, 0, 28, 0, 1]))
  return Buffer.concat([head, ...name, Buffer.from([0, 0, 28, 0, 1]), ...again])
}

/** Far more than a kernel holds for a connection, where each has an answer of 40 KiB. */
const unreadQuestions = 1_000

const askOften = (socket: Socket): void => {
  socket.write(Buffer.concat(Array.from({ length: unreadQuestions }, () => framed(query()))))
}

const largeAnswers = async (): Promise<{ readonly port: number; answered: number } & AsyncDisposable> => {
  const answers: Answer[] = [{ type: 'TXT', name: 'root.net.test', data: Array(160).fill(Buffer.alloc(250, 'a')) }]
  const answer = ({ id = 0, questions = [] }: Packet): Packet => ({ type: 'response', id, questions, answers })
  const server = await NameServer.start({ host: '::1', port: 0, answer, onAnswer: () => counted.answered++ })
  const counted = { port: server.port, answered: 0, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
  return counted
}

/** Time after which a connection that says nothing is closed anyway. */
const idleMs = 5_000

const rcode = ({ flags = 0 }: Packet): number => flags & 0xf

describe('the resolver of names', () => {
  let network: TestNetwork
  let port = 0
  beforeAll(async () => {
    network = await TestNetwork.create({ 'dns.listen': '[::1]:0' })
    const names = () => network.node('root').network?.names
    await eventually(() => names()?.address !== undefined)
    port = Number(names()?.address?.split(':').at(-1))
  })
  afterAll(() => network[Symbol.asyncDispose]())

  attack('a question of 4 kB, and others that hold more than a question', async () => {
    const long = Buffer.concat([query(), Buffer.alloc(4_096)])
    const many = Buffer.from(query())
    many.writeUInt16BE(400, 6)
    const answers = await Promise.all([long, many, Buffer.alloc(12)].map((bytes) => askUdp(port, bytes)))
    expect(answers.map(rcode)).toEqual([1, 1, 4])
    const tcp = await opened(port)
    tcp.write(Buffer.from([0xff, 0xff, 0]))
    await once(tcp, 'close', { signal: AbortSignal.timeout(ceilingMs) })
    expect(rcode(await askUdp(port, query()))).toBe(0)
    return { happened: '4 kB, 400 records, no question: FORMERR or NOTIMP in 12 bytes', held: '4 KiB, one question' }
  })

  attack('hundreds of pointers to one long name, in a message that is no query', async () => {
    const long = Array.from({ length: 126 }, () => Buffer.from('a'))
    const notify = rawQuery(long, 4 << 11, 512)
    const answer = await askUdp(port, notify)
    expect([rcode(answer), answer.flags, answer.questions]).toEqual([4, (4 << 11) | 4, []])
    expect(rcode(await askUdp(port, query()))).toBe(0)
    return {
      happened: `512 names of 253 characters in ${notify.length} bytes: NOTIMP in 12`,
      held: 'only queries are decoded'
    }
  })

  attack('names that an answer would repeat as others', async () => {
    const parts = rootName.map((label) => Buffer.from(label))
    const opt = Buffer.from([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0])
    const twice = Buffer.concat([rawQuery(parts), opt, opt])
    twice.writeUInt16BE(2, 10)
    const bad = [rawQuery([Buffer.from(rootName.join('.'))]), rawQuery([Buffer.alloc(63, 0xff), ...parts]), twice]
    const answers = await Promise.all(bad.map((bytes) => askUdp(port, bytes)))
    expect(answers.map((answer) => [rcode(answer), answer.questions?.length])).toEqual(bad.map(() => [1, 0]))
    return {
      happened: 'a dot within a label, bytes that are no text, two OPT: FORMERR in 12 bytes',
      held: 'a name comes back as it was'
    }
  })

  control('the same name in labels as they are is answered', async () => {
    const answer = await askUdp(port, rawQuery(rootName.map((label) => Buffer.from(label))))
    expect([rcode(answer), answer.answers?.length]).toEqual([0, 1])
  })

  attack('a hundred connections that stay', async () => {
    const silent = await Promise.all(Array.from({ length: 100 }, async () => (await opened(port)).resume()))
    // Each asks now and then, so that none is closed for its silence.
    const ask = (): void => {
      for (const socket of silent) if (!socket.destroyed) socket.write(framed(query()))
    }
    ask()
    const again = setInterval(ask, idleMs / 10)
    onTestFinished(() => clearInterval(again))
    expect((await askTcp(port)).answers).toHaveLength(1)
    // The one that asked has a place, too.
    await eventually(() => silent.filter(({ closed }) => closed).length >= 100 - 64)
    expect(silent.some(({ closed }) => !closed)).toBe(true)
    const closed = silent.filter((socket) => socket.closed).length
    for (const socket of silent) socket.destroy()
    return {
      happened: `100 connections that stay: ${closed} are closed, and the next one is answered`,
      held: '64, the oldest goes'
    }
  })

  attack('an asker that never reads its answers', async () => {
    await using server = await largeAnswers()
    const asker = await opened(server.port)
    asker.pause()
    askOften(asker)
    // Those that come later are answered meanwhile.
    const later = await opened(server.port)
    later.write(framed(query()))
    await once(later, 'data', { signal: AbortSignal.timeout(ceilingMs) })
    later.destroy()
    expect(server.answered).toBeLessThan(unreadQuestions / 2)
    asker.destroy()
    return {
      happened: `${unreadQuestions} questions: ${server.answered} answers of 40 KiB, which the kernel holds`,
      held: 'goes on when the asker reads'
    }
  })

  control('one that reads them has them all', async () => {
    await using server = await largeAnswers()
    const asker = await opened(server.port)
    asker.resume()
    askOften(asker)
    await eventually(() => server.answered === unreadQuestions)
    expect(asker.closed).toBe(false)
    asker.destroy()
  })

  attack('as many questions as a process can send', async () => {
    const { names } = network.node('root').attached
    const before = names?.answered.get('noerror') ?? 0
    const began = performance.now()
    const socket = createSocket('udp6')
    const bytes = query()
    for (let i = 0; i < 20_000; i++) {
      socket.send(bytes, port, '::1')
      // The node has its turn: what it never sees exceeds no limit.
      if (i % 50 === 0) await nextTurn()
    }
    expect(rcode(await askUdp(port, query()))).toBe(0)
    socket.close()
    const answered = (names?.answered.get('noerror') ?? 0) - before
    const elapsedMs = performance.now() - began
    expect(names?.dropped).toBeGreaterThan(0)
    expect(answered).toBeLessThanOrEqual(1_001 + elapsedMs)
    return {
      happened: `20,000 questions in ${Math.round(elapsedMs)} ms: ${answered} answered, ${names?.dropped} not looked at`,
      held: '1,000 at once and in each second'
    }
  })

  control('a server without that limit answers all of them', async () => {
    await using server = await NameServer.start({
      host: '::1',
      port: 0,
      answer: ({ id = 0, questions = [] }) => ({ type: 'response', id, questions })
    })
    for (let i = 0; i < 1_500; i++) expect(rcode(await askUdp(server.port, query()))).toBe(0)
  })

  attack('a member announces ::1, so that its name leads into the machine that asks', async () => {
    const announced = ['/ip6/::1/tcp/9000', '/ip6/2001:db8::66/tcp/9000']
    expect(namedAddresses(announced, announcesLoopback(['/ip6/2001:db8::1/tcp/9000']))).toEqual(['2001:db8::66'])
    return { happened: '::1 is left out, the rest stays', held: 'no loopback where this node announces none' }
  })

  control('in a network on one machine it is an address like others', async () => {
    expect(namedAddresses(['/ip6/::1/tcp/9000'], announcesLoopback(['/ip6/::1/tcp/9001']))).toEqual(['::1'])
  })

  attack('members write the address of another one into their records, so that it has their names', async () => {
    const { registry, attached } = network.node('root')
    const { networkId, records, admission, replica } = registry
    const held = await network.join('held')
    const own = memberAddress(networkId, held.key.publicKey)
    const liars = Array.from({ length: 40 }, (_, index) => ({ key: SigningKey.generate(), name: `liar-${index}` }))
    for (const { key, name } of liars) {
      const wish = { networkId, key, name, role: 'integrated' as const, timeMs: Date.now() }
      await admission.join({ join: makeJoin(wish) })
      const addrs = ['/ip6/::1/tcp/9000', `/ip6/${own}/tcp/9000`]
      expect(await records.put(recordBy(registry, key, 1, { addrs }))).toMatchObject({ accepted: true })
    }
    const late = await network.join('late')
    const first = [...replica.state.members()].slice(-1 - liars.length).map(({ name }) => name)
    expect(first, 'the order of the log alone would name them first').toEqual([
      ...liars.map(({ name }) => name),
      'late'
    ])
    expect([...attached.trust.members()].map(({ member }) => keyId(member.publicKey))).toContain(
      keyId(late.key.publicKey)
    )
    const namesAt = async (address: string): Promise<string[]> => {
      const labels = Buffer.from(parseIp6(address) ?? [])
        .toString('hex')
        .split('')
        .toReversed()
      const bytes = rawQuery([...labels, 'ip6', 'arpa'].map((label) => Buffer.from(label)))
      bytes.writeUInt16BE(ptr, bytes.length - 4)
      const { answers = [] } = await askTcp(port, bytes)
      return answers.flatMap((answer) => (answer.type === 'PTR' ? [answer.data] : []))
    }
    await eventually(async () => (await namesAt('::1')).includes('late.net.test'))
    const names = await namesAt('::1')
    expect(names).toHaveLength(16)
    expect(names.slice(0, 3).toSorted()).toEqual(['held', 'late', 'root'].map((name) => `${name}.net.test`))
    expect((await namesAt(own))[0]).toBe('held.net.test')
    return {
      happened: `${liars.length} claim two addresses: the first names of both are those of the members who are there`,
      held: 'who has proven itself at an address is named first, 16 names'
    }
  })
})
