import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { stat, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { connect, createServer } from 'node:net'
import { dirname } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { controlClient } from '../../../../src/node/api/client.ts'
import type { ControlApi, ControlEvent } from '../../../../src/node/api/control-api.ts'
import { startControlServer } from '../../../../src/node/control/server.ts'
import { silentLogger } from '../../../../src/runtime/clock-and-logger.ts'
import { NotRootError, PendingError } from '../../../../src/runtime/errors.ts'
import { ControlHome, ScriptedApi, stampedApi } from '../../../helpers/control-process.ts'

let home: ControlHome
let api: ScriptedApi
let client: ControlApi
beforeEach(async () => {
  home = await ControlHome.create()
  api = new ScriptedApi()
  client = controlClient({ path: home.socket('hal') })
})
afterEach(() => home[Symbol.asyncDispose]())

/** A request as it is, past the client. */
const raw = (method: string, path: string, body?: string): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    const call = request({ socketPath: home.socket('hal'), method, path, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    call.on('error', reject)
    call.end(body)
  })

describe('the control socket', () => {
  test('belongs to owner and group', async () => {
    await home.serve('hal', api)
    const { mode } = await stat(home.socket('hal'))
    expect(mode & 0o777).toBe(0o660)
    expect((await stat(dirname(home.socket('hal')))).mode & 0o007).toBe(0)
  })

  test('is refused while another process answers there', async () => {
    await home.serve('hal', api)
    await expect(home.serve('hal', api)).rejects.toMatchObject({ name: 'AlreadyRunningError' })
    await expect(client.status()).resolves.toMatchObject({ word: 'healthy' })
  })

  test('takes over a socket that a killed process left behind', async () => {
    mkdirSync(dirname(home.socket('hal')), { recursive: true })
    await writeFile(home.socket('hal'), '')
    await home.serve('hal', api)
    await expect(client.status()).resolves.toMatchObject({ word: 'healthy' })
  })

  test('with as many connections as it takes answers no more, and the caller is told why; then it goes on', async () => {
    await home.serve('hal', api)
    const silent = Array.from({ length: 64 }, () => connect(home.socket('hal')))
    await Promise.all(silent.map((socket) => once(socket, 'connect')))
    await expect(client.status()).rejects.toThrow(/without an answer: it stops, or as many commands as it takes/)
    for (const socket of silent) socket.destroy()
    await expect.poll(() => client.status().catch(() => undefined)).toMatchObject({ word: 'healthy' })
  })

  test('with a path too long for a socket says so', async () => {
    const path = `/tmp/${'x'.repeat(120)}.sock`
    await expect(startControlServer({ path, api: stampedApi(api), logger: silentLogger })).rejects.toThrow(
      'longer than 107 bytes'
    )
  })

  test('is gone after dispose, open event streams too', async () => {
    const server = await startControlServer({ path: home.socket('zoe'), api: stampedApi(api), logger: silentLogger })
    const zoe = controlClient({ path: home.socket('zoe') })
    const events = zoe.events()
    const next = events.next()
    while (api.watchers === 0) await new Promise((resolve) => setImmediate(resolve))
    await server[Symbol.asyncDispose]()
    await expect(next.catch(() => ({ done: true }))).resolves.toMatchObject({ done: true })
    await expect(zoe.status()).rejects.toMatchObject({ name: 'NothingRunningError' })
  })
})

describe('calls', () => {
  beforeEach(() => home.serve('hal', api))

  test.each([
    [new NotRootError('only the root does that'), 403],
    [new PendingError('waits'), 503],
    [new RangeError('a mistake of our own'), 500]
  ])('%s is answered with its name, its message and a status', async (error, status) => {
    api.approve = async () => {
      throw error
    }
    await expect(client.approve({ peer: 'hal' })).rejects.toMatchObject({
      name: 'ControlError',
      remoteName: error.name,
      message: error.message,
      status
    })
  })

  test('what is no request is refused with 400 and reaches nobody', async () => {
    const wrong: [string, string, string?][] = [
      ['GET', '/v1/nothing'],
      ['GET', '/v1/constructor'],
      ['POST', '/v1/status'],
      ['GET', '/v1/lookup?limit=501'],
      ['GET', '/v1/lookup?state=dead'],
      ['GET', '/v1/lookup?constructor=x'],
      ['GET', '/v1/lookup?__proto__=x'],
      ['GET', '/v1/lookup?toString=1'],
      ['POST', '/v1/revoke', '{"peer":"hal"}'],
      ['POST', '/v1/revoke', 'not json'],
      ['POST', '/v1/join', JSON.stringify({ line: 'x'.repeat(30_000) })]
    ]
    const answers = await Promise.all(wrong.map(([method, path, body]) => raw(method, path, body)))
    expect(answers.map(({ status }) => status)).toEqual(wrong.map(() => 400))
    expect(api.joined).toEqual([])
  })

  test('input arrives typed, also from a query string', async () => {
    const asked: unknown[] = []
    api.lookup = async (query) => {
      asked.push(query)
      return { rows: [], next: null }
    }
    await client.lookup({ role: 'root', limit: 5, remote: true, service: 'a&b=c ' })
    expect(asked).toEqual([{ role: 'root', limit: 5, remote: true, service: 'a&b=c ' }])
  })

  test('a caller that goes away aborts the call in the process', async () => {
    const started = Promise.withResolvers<AbortSignal>()
    api.status = (_input, { signal } = {}) =>
      new Promise((_, reject) => {
        if (signal === undefined) return
        signal.addEventListener('abort', () => reject(new Error('aborted')))
        started.resolve(signal)
      })
    const gone = new AbortController()
    const call = client.status({}, { signal: gone.signal })
    const signal = await started.promise
    gone.abort(new Error('the caller was interrupted'))
    await expect(call).rejects.toThrow('the caller was interrupted')
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      else signal.addEventListener('abort', () => resolve())
    })
  })

  test('an answer that never comes ends with the timeout', async () => {
    api.status = () => new Promise(() => undefined)
    const impatient = controlClient({ path: home.socket('hal'), timeoutMs: 50 })
    await expect(impatient.status()).rejects.toMatchObject({ remoteName: 'TimeoutError' })
  })

  test('events arrive in order, and the listener is gone with the reader', async () => {
    const stop = new AbortController()
    const seen: ControlEvent[] = []
    const reading = (async () => {
      for await (const event of client.events({ signal: stop.signal })) {
        seen.push(event)
        if (seen.length === 3) stop.abort()
      }
    })()
    while (api.watchers === 0) await new Promise((resolve) => setImmediate(resolve))
    for (const head of [1, 2, 3]) api.emit({ schema: 1, type: 'head', epoch: 0, head })
    await reading
    expect(seen).toMatchObject([{ head: 1 }, { head: 2 }, { head: 3 }])
    while (api.watchers > 0) await new Promise((resolve) => setImmediate(resolve))
  })
})

test('a socket that speaks something else is no crash', async () => {
  mkdirSync(dirname(home.socket('hal')), { recursive: true })
  const server = createServer((socket) => socket.resume().end('hello\n')).listen(home.socket('hal'))
  await new Promise((resolve) => server.once('listening', resolve))
  await expect(client.status()).rejects.toMatchObject({ name: 'ControlError', remoteName: 'UnavailableError' })
  await new Promise((resolve) => server.close(resolve))
})
