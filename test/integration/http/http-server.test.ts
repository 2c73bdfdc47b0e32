import { writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { createConnection, createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openHttp } from '../../../src/node/http/index.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { expectSchema } from '../../helpers/schemas.ts'

let network: TestNetwork
let root: TrustNode
beforeAll(async () => {
  network = await TestNetwork.create({ 'http.listen': '[::1]:0', 'http.hosts': 'Tower.Example' })
  const [first] = network.nodes
  if (first === undefined) throw new Error('no root')
  root = first
})
afterAll(() => network[Symbol.asyncDispose]())

interface Answer {
  status: number
  headers: Record<string, unknown>
  body: Record<string, unknown>
}

const ask = (path: string, options: { method?: string; headers?: Record<string, string> } = {}, url = root.httpUrl) =>
  new Promise<Answer>((resolve, reject) => {
    const call = httpRequest(new URL(path, url), { agent: false, ...options }, (response) => {
      const answer = async (): Promise<Answer> => {
        const text = Buffer.concat(await response.toArray()).toString()
        return {
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: text === '' ? {} : JSON.parse(text)
        }
      }
      resolve(answer())
    })
    call.on('error', reject)
    call.end()
  })

test.each([
  ['/health', 'health'],
  ['/ready', 'ready'],
  ['/version', 'version'],
  ['/nodes', 'registry-nodes'],
  ['/peers', 'peers'],
  ['/connections', 'connections'],
  ['/connection/status', 'status'],
  ['/stats', 'stats'],
  ['/registries', 'registry-status'],
  ['/members', 'members'],
  ['/operators', 'operators'],
  ['/policy', 'policy'],
  ['/lookup?role=root', 'lookup'],
  ['/why?peer=root', 'why'],
  ['/matrix?offset=0&limit=1', 'matrix']
])('%s is answered as docs/schemas/%s.schema.json says', async (path, schema) => {
  const { status, body } = await ask(path)
  expect(status).toBe(200)
  expect(body).toMatchObject({ view: { peerId: root.peerId } })
  expectSchema(schema, body)
})

test('every path is in the document, and the page of it is one', async () => {
  const { body } = await ask('/openapi.json')
  expect(Object.keys(body['paths'] ?? {})).toEqual(expect.arrayContaining(['/health', '/events', '/openapi.json']))
  const page = await fetch(`${root.httpUrl}/docs`)
  expect(page.headers.get('content-type')).toContain('text/html')
  expect(await page.text()).toContain('GET /health')
})

test('answers as the control socket does, with safe headers', async () => {
  const { status, headers, body } = await ask('/peers')
  expect(status).toBe(200)
  expect(body).toMatchObject({ schema: 1, total: 1, self: { peerId: root.peerId } })
  expect(headers['content-security-policy']).toContain("default-src 'none'")
  expect(headers['access-control-allow-origin']).toBeUndefined()
  for (const path of ['/connection/status', '/nodes', '/registries']) expect((await ask(path)).status).toBe(200)
})

test.each([
  ['an unknown path', '/nothing', {}, 404, 'NOT_FOUND'],
  ['a path of the control socket', '/v1/peers', {}, 404, 'NOT_FOUND'],
  ['a wrong method', '/peers', { method: 'POST' }, 405, 'METHOD_NOT_ALLOWED'],
  ['an unknown option', '/peers?nonsense=1', {}, 400, 'BAD_REQUEST'],
  ['a huge query', `/peers?x=${'x'.repeat(5_000)}`, {}, 414, 'TOO_LARGE'],
  ['huge headers', '/peers', { headers: { x: 'x'.repeat(20_000) } }, 431, 'TOO_LARGE'],
  ['a wrong Host', '/peers', { headers: { host: 'evil.example' } }, 421, 'WRONG_HOST'],
  [
    'a name that only begins as its own',
    '/peers',
    { headers: { host: 'tower.example.evil.example' } },
    421,
    'WRONG_HOST'
  ],
  ['a page of another site', '/why?peer=root', { headers: { 'sec-fetch-site': 'cross-site' } }, 403, 'WRONG_SITE'],
  ['a page of another port', '/why?peer=root', { headers: { 'sec-fetch-site': 'same-site' } }, 403, 'WRONG_SITE'],
  [
    'a frame of another site',
    '/why?peer=root',
    { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'iframe' } },
    403,
    'WRONG_SITE'
  ],
  ['an IPv4 address', '/peers', { headers: { host: '127.0.0.1' } }, 421, 'WRONG_HOST'],
  ['an address that is not its own', '/peers', { headers: { host: '[2001:db8::1]:80' } }, 421, 'WRONG_HOST']
])('refuses %s', async (_, path, options, status, code) => {
  const answer = await ask(path, options)
  expect(answer).toMatchObject({ status, body: { schema: 1, error: { code } } })
})

test.each(['localhost', 'tower.example:8080', '[::1]'])('answers for its own host %s', async (host) => {
  expect(await ask('/version', { headers: { host } })).toMatchObject({ status: 200 })
})

test.each([
  ['its own page', { 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': 'empty' }],
  ['a link of another site that a person follows', { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'document' }]
])('answers %s', async (_, headers) => {
  expect(await ask('/version', { headers })).toMatchObject({ status: 200 })
})

test('what is no request never takes the place of the answer to the one before it', async () => {
  const { port } = new URL(root.httpUrl ?? '')
  const socket = createConnection({ host: '::1', port: Number(port) }).on('error', () => {})
  let answer = ''
  socket.on('data', (data: Buffer) => {
    answer += data.toString()
  })
  socket.end('GET /peers HTTP/1.1\r\nHost: localhost\r\n\r\nnonsense\r\n\r\n')
  await new Promise((resolve) => socket.once('close', resolve))
  expect(answer).not.toContain('HTTP/1.1 400')
})

test('a file of the program that is missing leaves the node without this API, and says so', async () => {
  const node = await network.start('fileless')
  const broken = new Proxy(node, {
    get: (target, key): unknown => {
      if (key === 'metrics') throw new Error('page.css is gone')
      return Reflect.get(target, key)
    }
  })
  expect(await openHttp(broken)).toBeUndefined()
  const { parts } = await node.control.status()
  expect(parts.find(({ name }) => name === 'http')).toMatchObject({
    state: 'failing',
    lastError: 'page.css is gone'
  })
  expect(network.logs.join('')).toContain('the HTTP API cannot be opened')
})

test('tells what changes, and to one that comes back what it missed', async () => {
  const first = new AbortController()
  const stream = await fetch(`${root.httpUrl}/events`, { signal: first.signal })
  const [, data = '', begin = ''] =
    /^event: begin\ndata: (.*)\nid: (\S+)$/m.exec(await until(stream, /(event: begin\n.*\nid: \S+)\n\n/)) ?? []
  expect(JSON.parse(data)).toMatchObject({ schema: 1, type: 'begin', view: { peerId: root.peerId } })
  first.abort()
  root.changed()
  root.changed()
  const second = new AbortController()
  const headers = { 'last-event-id': begin }
  expect(
    await until(await fetch(`${root.httpUrl}/events`, { headers, signal: second.signal }), /event: (status)/)
  ).toBe('status')
  const reset = await fetch(`${root.httpUrl}/events?after=000000000000-7`, { signal: second.signal })
  expect(await until(reset, /event: (\S+)/)).toBe('reset')
  second.abort()
})

test('to one that comes back to another process, what the history has since then, and from where it goes on', async () => {
  const { lastId, events } = await root.control.history({ after: 0, limit: 1000 })
  const [first, ...later] = events
  if (first === undefined || later.length === 0) throw new Error('nothing happened')
  const stop = new AbortController()
  const told = async (after: string): Promise<string> => {
    const stream = await fetch(`${root.httpUrl}/events?after=${after}`, { signal: stop.signal })
    return await until(stream, /^([\s\S]*event: reset\n[\s\S]*?\n\n)/)
  }
  // The id of an event of a process that is gone, and that of a row itself.
  for (const after of [`000000000000-7-${first.id}`, `${first.id}`]) {
    const text = await told(after)
    const rows = [...text.matchAll(/event: happened\ndata: (.*)\nid: (\d+)\n/g)]
    const seen: unknown[] = rows.map(([, data = '', id]) => [id, JSON.parse(data)])
    expect(seen.slice(0, later.length)).toEqual(
      later.map((happened) => [`${happened.id}`, { schema: 1, type: 'happened', happened }])
    )
    const [, data = '', id = ''] = /event: reset\ndata: (.*)\nid: (\S+)\n/.exec(text) ?? []
    expect(JSON.parse(data)).toEqual({
      schema: 1,
      generatedAt: expect.any(String),
      view: expect.objectContaining({ peerId: root.peerId }),
      type: 'reset',
      after: first.id,
      firstId: first.id
    })
    expect(Number(id.split('-').at(-1))).toBeGreaterThanOrEqual(lastId ?? Number.NaN)
    root.changed()
    const goesOn = await fetch(`${root.httpUrl}/events?after=${id}`, { signal: stop.signal })
    expect(await until(goesOn, /event: (status|reset|happened)/)).toBe('status')
  }
  expect(await told('000000000000-7')).toContain('"after":null')
  expect(await told('nonsense')).not.toContain('happened')
  stop.abort()
})

test('to one that comes back while the process has no network yet, the same as soon as it has', async () => {
  const { events } = await root.control.history({ after: 0, limit: 1000 })
  const [first] = events
  if (first === undefined) throw new Error('nothing happened')
  const stop = new AbortController()
  const streams: Response[] = []
  await root.beginAnew('the test wants it', async () => {
    expect(root.network).toBeUndefined()
    streams.push(await fetch(`${root.httpUrl}/events?after=000000000000-7-${first.id}`, { signal: stop.signal }))
  })
  const [stream] = streams
  if (stream === undefined) throw new Error('no stream')
  const text = await until(stream, /^([\s\S]*event: reset\n[\s\S]*?\n\n)/)
  expect(text).toContain('event: happened')
  expect(text).toContain(`"after":${first.id},`)
  stop.abort()
})

const until = async (response: Response, wanted: RegExp): Promise<string> => {
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString()
    const found = wanted.exec(text)
    if (found?.[1] !== undefined) return found[1]
  }
  throw new Error(`the stream ended: ${text}`)
}

test('a port that is taken is said in the status, and the node runs on', async () => {
  const other = createServer().listen(0, '::1')
  await new Promise((resolve) => other.once('listening', resolve))
  const address = other.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const node = await network.join('taken', { 'http.listen': `[::1]:${address.port}` })
  const { parts } = await node.control.status()
  expect(parts.find(({ name }) => name === 'http')).toMatchObject({
    state: 'failing',
    lastError: expect.stringContaining(`port ${address.port} is taken by`)
  })
  other.close()
})

test('an address that no interface has yet is said in plain words, and waited for', async () => {
  const file = join(network.folder, 'token-of-late')
  writeFileSync(file, 'a-token-that-nobody-guesses\n', { mode: 0o600 })
  const late = { 'http.listen': '[fd10:dead::1]:9080', 'http.tokenFile': file }
  const node = await network.join('late', late)
  const words = 'this machine does not have the address; look at `ip -6 address` (http.listen)'
  const { parts } = await node.control.status()
  expect(parts.find(({ name }) => name === 'http')).toMatchObject({
    state: 'failing',
    lastError: expect.stringContaining(words)
  })
  const said = network.logs.find((line) => line.includes('not there') && line.includes('fd10:dead::1'))
  expect(said).toContain(words)
  expect(said).not.toContain('EADDRNOTAVAIL')
})

test('anything but loopback needs a token, which every request must bring', async () => {
  expect(() => network.config('open', { 'http.listen': '[::]:0' })).toThrow('http.tokenFile')
  const file = join(network.folder, 'token')
  writeFileSync(file, 'short', { mode: 0o600 })
  await expect(network.start('short', { 'http.listen': '[::]:0', 'http.tokenFile': file })).rejects.toThrow(
    'no token of at least 16 characters'
  )
  const token = 'a-token-that-nobody-guesses'
  writeFileSync(file, `${token}\n`, { mode: 0o600 })
  const { httpUrl } = await network.start('closed', { 'http.listen': '[::]:0', 'http.tokenFile': file })
  const statusWith = async (authorization?: string): Promise<number> =>
    (await ask('/connection/status', authorization === undefined ? {} : { headers: { authorization } }, httpUrl)).status
  expect(await statusWith()).toBe(401)
  expect(await statusWith(`Bearer ${token}x`)).toBe(401)
  expect(await statusWith(`Bearer ${token}`)).toBe(200)
  expect(await statusWith(`Basic ${Buffer.from(`me:${token}`).toString('base64')}`)).toBe(200)
})

test('health is that of each part, and a dead root or DNS makes nobody unready', async () => {
  const { body } = await ask('/health')
  expect(body).toMatchObject({
    ok: true,
    parts: { key: { status: 'ok' }, store: { status: 'ok' }, listener: { status: 'ok' } }
  })
  const member = await network.join('member')
  await network.node('root').stop('it dies')
  await eventually(async () => {
    const { ok, dependencies } = await member.control.ready()
    return ok && dependencies.some((each) => !each.ok)
  })
  expect(await member.control.ready()).toMatchObject({ ok: true })
  expect(await member.control.health()).toMatchObject({ ok: true })
})
