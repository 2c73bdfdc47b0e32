import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { connect } from 'node:net'
import { type DecodedPacket, decode, encode, type OptAnswer, type Packet } from 'dns-packet'
import { describe, expect, it } from 'vitest'
import { Authority } from '../../../src/dns/authority.ts'
import { answerTo, Zone } from '../../../src/dns/zone.ts'

const zoneOf = (count: number): Zone => {
  const zone = new Zone('example.test')
  zone.set(
    'tnr.example.test',
    Array.from({ length: count }, (_, i) => ({ type: 'AAAA', value: `2001:db8::${i + 1}` }))
  )
  return zone
}

const udp = async (authority: Authority, query: Buffer): Promise<DecodedPacket> => {
  const socket = createSocket('udp6')
  socket.send(query, authority.port, '::1')
  const bytes = await new Promise<Buffer>((resolve) => socket.once('message', resolve))
  socket.close()
  return decode(bytes)
}

const query = (name: string, type: 'AAAA' | 'A' | 'SOA' = 'AAAA', extra: Packet = {}): Buffer =>
  encode({ type: 'query', id: 7, flags: 0x0100, questions: [{ type, name }], ...extra })

/** The response code, a part of the flags word. */
const rcode = (packet: Packet): number => (packet.flags ?? 0) & 0xf

describe('Authority', () => {
  it('answers with authority and repeats the id', async () => {
    await using authority = await Authority.start(zoneOf(1))
    const answer = await udp(authority, query('TNR.example.test'))
    expect(answer).toMatchObject({ id: 7, flag_aa: true, flag_tc: false, answers: [{ data: '2001:db8::1' }] })
  })

  it('A has no data, an unknown name does not exist; both with the SOA', async () => {
    await using authority = await Authority.start(zoneOf(1))
    const noData = await udp(authority, query('tnr.example.test', 'A'))
    expect([rcode(noData), noData.answers, noData.authorities?.[0]?.type]).toEqual([0, [], 'SOA'])
    const noName = await udp(authority, query('nothing.example.test'))
    expect([rcode(noName), noName.authorities?.[0]?.type]).toEqual([3, 'SOA'])
    const between = await udp(authority, query('example.test'))
    expect(rcode(between)).toBe(0)
  })

  it('truncates what does not fit into 512 bytes, or into what the asker says', async () => {
    await using authority = await Authority.start(zoneOf(20))
    const short = await udp(authority, query('tnr.example.test'))
    expect(short).toMatchObject({ flag_tc: true, answers: [] })
    const opt: OptAnswer = {
      type: 'OPT',
      name: '.',
      udpPayloadSize: 4096,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: []
    }
    const long = await udp(authority, query('tnr.example.test', 'AAAA', { additionals: [opt] }))
    expect(long.flag_tc).toBe(false)
    expect(long.answers).toHaveLength(20)
  })

  it('changes show at the next question', async () => {
    await using authority = await Authority.start(zoneOf(1))
    const resolver = new Resolver()
    resolver.setServers([authority.address])
    authority.zone.set('tnr.example.test', [{ type: 'AAAA', value: '2001:db8::99' }])
    expect(await resolver.resolve6('tnr.example.test')).toEqual(['2001:db8::99'])
    authority.zone.set('tnr.example.test', [])
    await expect(resolver.resolve6('tnr.example.test')).rejects.toMatchObject({ code: 'ENOTFOUND' })
  })

  it('serves long texts in parts', async () => {
    const zone = new Zone('example.test')
    zone.set('long.example.test', [{ type: 'TXT', value: 'x'.repeat(600) }])
    await using authority = await Authority.start(zone)
    const resolver = new Resolver()
    resolver.setServers([authority.address])
    const [parts] = await resolver.resolveTxt('long.example.test')
    expect(parts?.map(({ length }) => length)).toEqual([255, 255, 90])
  })

  it('survives garbage over UDP and TCP, answers no answers, and closes a connection that promises too much', async () => {
    await using authority = await Authority.start(zoneOf(1))
    const socket = createSocket('udp6')
    for (const bytes of [Buffer.alloc(0), Buffer.from('nonsense'), Buffer.alloc(600, 0xff)])
      socket.send(bytes, authority.port, '::1')
    socket.send(encode({ type: 'response', id: 1, questions: [] }), authority.port, '::1')
    const tcp = connect(authority.port, '::1')
    tcp.on('error', () => {})
    tcp.write(Buffer.from([0xff, 0xff, 1, 2, 3]))
    await new Promise((resolve) => tcp.once('close', resolve))
    expect(rcode(await udp(authority, query('tnr.example.test')))).toBe(0)
    socket.close()
  })

  it('answers two questions on one TCP connection, also when they arrive byte by byte', async () => {
    await using authority = await Authority.start(zoneOf(200))
    const tcp = connect({ port: authority.port, host: '::1', noDelay: true })
    const one = query('tnr.example.test')
    const framed = Buffer.concat([Buffer.from([0, one.length]), one])
    for (const byte of Buffer.concat([framed, framed])) tcp.write(Buffer.from([byte]))
    let held = Buffer.alloc(0)
    const answers: DecodedPacket[] = []
    for await (const chunk of tcp) {
      held = Buffer.concat([held, Buffer.from(chunk)])
      while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
        answers.push(decode(held.subarray(2, 2 + held.readUInt16BE(0))))
        held = held.subarray(2 + held.readUInt16BE(0))
      }
      if (answers.length === 2) break
    }
    expect(answers.map(({ answers: records }) => records?.length)).toEqual([200, 200])
  })

  it('listens on loopback only and frees its port', async () => {
    const authority = await Authority.start(zoneOf(1))
    const { port } = authority
    expect(authority.address).toBe(`[::1]:${port}`)
    await authority[Symbol.asyncDispose]()
    await using again = await Authority.start(zoneOf(1), port)
    expect(again.port).toBe(port)
    await expect(Authority.start(zoneOf(1), port)).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })
})

describe('answerTo', () => {
  it('refuses other zones and does not implement updates or two questions', () => {
    const zone = zoneOf(1)
    const questions = [{ type: 'AAAA' as const, name: 'tnr.example.test' }]
    expect(rcode(answerTo(zone, { id: 1, questions: [{ type: 'AAAA', name: 'example.org' }] }))).toBe(5)
    expect(rcode(answerTo(zone, { id: 1, questions: [{ type: 'AAAA', name: 'notexample.test' }] }))).toBe(5)
    expect(rcode(answerTo(zone, { id: 1, flags: 5 << 11, questions }))).toBe(4)
    expect(rcode(answerTo(zone, { id: 1, questions: [...questions, ...questions] }))).toBe(4)
  })
})
