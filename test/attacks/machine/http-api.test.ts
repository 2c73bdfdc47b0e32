import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { controlClient } from '../../../src/node/api/client.ts'
import { type Running, runProgram, startProgram } from '../../helpers/built-program.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually } from '../../helpers/network.ts'
import { attack, control } from '../attack.ts'

const home = mkdtempSync(join(tmpdir(), 'tn-http-'))
const env = {
  TRUSTNET_HOME: home,
  TRUSTNET_ANNOUNCE_ALLOW: 'loopback',
  TRUSTNET_LISTEN_PORT: '0',
  TRUSTNET_HEARTBEAT_INTERVAL: '12s',
  TRUSTNET_HEARTBEAT_TIMEOUT: '10s',
  TRUSTNET_BOOTSTRAP_DNS_SERVERS: '[::1]:1'
}
const clientOf = (name: string) => controlClient({ path: join(home, 'run', `${name}.sock`) })
const root = clientOf('root')
const member = clientOf('m1')
const running: Running[] = []
let url = new URL('http://[::1]')

/** A root with the HTTP API and a member that has its lease there, each a process. */
beforeAll(async () => {
  const named = ['--name', 'root', '--domain', 'http.test']
  const init = await runProgram(['init', ...named, '--policy', 'open', '--new-network', '--json'], env)
  expect(init).toMatchObject({ code: 0 })
  running.push(startProgram(['registry', 'start', '--name', 'root'], { ...env, TRUSTNET_HTTP_LISTEN: '[::1]:0' }))
  await eventually(async () => (await root.status().catch(() => undefined))?.http !== undefined, ceilingMs)
  await eventually(async () => (await root.identity()).multiaddrs.length > 0, ceilingMs)
  url = new URL((await root.status()).http ?? '')
  const { multiaddrs, network } = await root.identity()
  const peers = { TRUSTNET_BOOTSTRAP_PEERS: multiaddrs.join(','), TRUSTNET_NETWORK_ID: network?.id ?? '' }
  running.push(startProgram(['node', 'start', '--name', 'm1'], { ...env, ...peers }))
  await eventually(() => registrations() === 1, ceilingMs)
})
afterAll(async () => {
  for (const each of running) each.process.kill('SIGTERM')
  await Promise.all(running.map(({ ended }) => ended))
  rmSync(home, { recursive: true, force: true })
})

const open = (sockets: Socket[]): Promise<Socket> =>
  new Promise((resolve) => {
    const socket = createConnection({ host: '::1', port: Number(url.port) }, () => resolve(socket))
    socket.on('error', () => resolve(socket))
    sockets.push(socket)
  })

const filesOf = (pid: number | undefined): number => readdirSync(`/proc/${pid}/fd`).length

/** How often the member got a lease, as its log says. */
const registrations = (): number => (running[1]?.soFar().split('"registered at ').length ?? 1) - 1

/** Neither side noticed anything: the member has its first lease, and the root shows it as it was. */
const expectSteady = async (): Promise<void> => {
  expect((await member.status()).registry.lease).toMatchObject({ name: 'root' })
  expect(registrations()).toBe(1)
  expect((await root.peers()).peers.find(({ name }) => name === 'm1')?.state).toBe('online')
}

/** Sends questions and takes nothing of the answers; prints the seconds until it is cut. */
const slowReader = `
import select, socket, sys, time
s = socket.socket(socket.AF_INET6)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.connect(('::1', int(sys.argv[1])))
began = time.monotonic()
s.sendall(b'GET /openapi.json HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n' * 60)
p = select.poll()
p.register(s, select.POLLERR | select.POLLHUP | select.POLLRDHUP)
if not p.poll(${ceilingMs}):
    sys.exit('it was never cut')
print(time.monotonic() - began)
`
const secondsUntilCut = (port: string): Promise<number> =>
  new Promise((resolve, reject) => {
    execFile('python3', ['-c', slowReader, port], (error, out) =>
      error === null ? resolve(Number(out)) : reject(error)
    )
  })

/** A request that never ends: a byte of a header now and then. */
const sendSlowly = async (sockets: Socket[]): Promise<string> => {
  const socket = await open(sockets)
  let answer = ''
  socket.on('data', (data: Buffer) => {
    answer += data.toString()
  })
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\nx: ')
  const more = setInterval(() => socket.write('x'), 500)
  await closed
  clearInterval(more)
  return answer
}

/** Status of the answer; `closed`: the connection had to make room for another one. */
const statusOf = (address: URL): Promise<number | string> =>
  fetch(address)
    .then(async (answer) => {
      // What nobody reads would keep its connection.
      await answer.arrayBuffer()
      return answer.status
    })
    .catch(() => 'closed')

/** Answers that a question may get where there are too many: 503 where its turn would come too late. */
const allowed = new Set<number | string>([200, 429, 503, 'closed'])

describe('the HTTP API', () => {
  control('a quiet connection beside few others stays open', async () => {
    const sockets: Socket[] = []
    const socket = await open(sockets)
    expect((await fetch(new URL('/health', url))).status).toBe(200)
    expect(socket.readyState).toBe('open')
    socket.destroy()
  })

  attack('2,000 connections that say nothing leave room for who asks, and no heartbeat is missed', async () => {
    const sockets: Socket[] = []
    const filesBefore = filesOf(running[0]?.process.pid)
    for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 100 }, () => open(sockets)))
    // A new connection is taken behind those that the kernel has already.
    const answers = async (path: string) => (await fetch(new URL(path, url)).catch(() => undefined))?.status === 200
    for (const path of ['/health', '/peers', '/stats']) await eventually(() => answers(path), ceilingMs)
    const more = filesOf(running[0]?.process.pid) - filesBefore
    // A scraper's connection or a log file may come between; the limit of the server is 64.
    expect(more).toBeLessThan(80)
    for (const socket of sockets) socket.destroy()
    await expectSteady()
    return {
      happened: `2,000 connections: ${more} files more are open, three questions are answered`,
      held: 'the quietest makes room'
    }
  })

  attack('a reader that takes nothing and a sender that never ends are cut, and no heartbeat is missed', async () => {
    const sockets: Socket[] = []
    const [seconds, answer] = await Promise.all([secondsUntilCut(url.port), sendSlowly(sockets)])
    expect(answer).toContain('HTTP/1.1 408 Request Timeout')
    expect(answer).toContain('"code":"TIMEOUT"')
    await expectSteady()
    return {
      happened: `the reader was cut after ${Math.round(seconds)} s`,
      held: 'stallMs and requestMs of the server'
    }
  })

  attack('a flood of questions gets 429, and no heartbeat is missed', async () => {
    const paths = ['/peers', '/metrics']
    const flood = Array.from({ length: 40 }, async (_, lane) => {
      const statuses: (number | string)[] = []
      for (let asked = 0; asked < 25; asked++)
        statuses.push(await statusOf(new URL(paths[(lane + asked) % paths.length] ?? '', url)))
      return statuses
    })
    const statuses = (await Promise.all(flood)).flat()
    const refused = statuses.filter((status) => status === 429).length
    expect(statuses.filter((status) => !allowed.has(status))).toEqual([])
    expect(refused).toBeGreaterThan(0)
    expect(statuses).toContain(200)
    await expectSteady()
    const counted = (await root.status()).limits.find(({ limit }) => limit === 'http.requests')
    expect(counted?.count).toBeGreaterThanOrEqual(refused)
    expect(counted?.culprits).toMatchObject([{ who: '/ip6/::1', name: null }])
    const closed = statuses.filter((status) => status === 'closed').length
    return { happened: `1,000 questions: ${refused} refused, ${closed} closed`, held: '50 a second of one address' }
  })

  attack('scrapes of /metrics in a row while the store is busy are answered, and no heartbeat is missed', async () => {
    const headOf = async (): Promise<number> => (await root.status()).sync.head ?? Number.NaN
    const before = await headOf()
    const over = new AbortController()
    const appending = async (): Promise<void> => {
      for (let made = 0; made < 40; made++) await root.invite({})
    }
    const appended = Promise.all(Array.from({ length: 5 }, appending)).finally(() => over.abort())
    const scraping = async (): Promise<(number | string)[]> => {
      const statuses: (number | string)[] = []
      while (!over.signal.aborted) statuses.push(await statusOf(new URL('/metrics', url)))
      return statuses
    }
    const [statuses] = await Promise.all([scraping(), appended])
    expect(await headOf()).toBeGreaterThanOrEqual(before + 200)
    expect(statuses.filter((status) => !allowed.has(status))).toEqual([])
    await expectSteady()
    // The flood before, or this one, may have taken all of the allowance.
    await eventually(async () => (await statusOf(new URL('/metrics', url))) === 200, ceilingMs)
    const answered = statuses.filter((status) => status === 200).length
    return {
      happened: `200 entries appended, ${statuses.length} scrapes meanwhile: ${answered} answered, the others told to come back`,
      held: 'a scrape is made in a tenth of the time, from what is known already'
    }
  })

  attack('control characters and 10 kB in a question come back as text of JSON, or not at all', async () => {
    const ask = () => fetch(new URL('/peers?%1b%5b31m%00=%0d%0a', url))
    // The flood before took all of the allowance.
    await eventually(async () => (await ask()).status === 400, ceilingMs)
    const strange = await ask()
    expect((await strange.text()).split('').filter((char) => char < ' ' || char === '\u007f')).toEqual([])
    const long = await fetch(new URL(`/peers?peer=${'x'.repeat(10_000)}`, url))
    expect(await long.json()).toMatchObject({ error: { code: 'TOO_LARGE' } })
    return { happened: 'refused with BAD_REQUEST and TOO_LARGE', held: 'the same checks as at the control socket' }
  })
})
