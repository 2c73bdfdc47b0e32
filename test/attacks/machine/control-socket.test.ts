import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, request, type Server } from 'node:http'
import { createServer as createRaw } from 'node:net'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect } from 'vitest'
import { controlClient } from '../../../src/node/api/client.ts'
import type { ControlApi } from '../../../src/node/api/control-api.ts'
import { commandCalls } from '../../helpers/commands/command-calls.ts'
import { ControlHome, runCli, ScriptedApi } from '../../helpers/control-process.ts'
import { attack, control } from '../attack.ts'

const MiB = 2 ** 20
let home: ControlHome
const servers: Server[] = []

beforeEach(async () => {
  home = await ControlHome.create()
})
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
  await home[Symbol.asyncDispose]()
})

/** A process that answers at the socket in whatever way. */
async function answering(listener: RequestListener, name = 'hal'): Promise<ControlApi> {
  const path = home.socket(name)
  mkdirSync(dirname(path), { recursive: true })
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return controlClient({ path })
}

/** Writes so many bytes, as fast as they are taken; gives how many went out. */
function pouring(first: string, bytes: number, part: Buffer, last = '') {
  const poured = { bytes: 0 }
  const listener: RequestListener = (_request, response) => {
    response.write(first)
    const more = (): void => {
      while (poured.bytes < bytes && !response.destroyed) {
        poured.bytes += part.byteLength
        if (!response.write(part)) return
      }
      if (!response.destroyed) response.end(last)
    }
    response.on('drain', more)
    more()
  }
  return { poured, listener }
}

const failureOf = (promise: Promise<unknown>): Promise<Error | undefined> =>
  promise.then(
    () => undefined,
    (error: Error) => error
  )

/** Commands that end by themselves whatever the answer says. */
const asking = [...commandCalls].filter(([command]) => !['wait', 'document watch'].includes(command))
const blanks = Buffer.alloc(MiB, ' ')

describe('the control socket of a service user that was taken over', () => {
  attack('answers without end', async () => {
    const { poured, listener } = pouring('{"schema":1,"x":"', 2_048 * MiB, Buffer.alloc(MiB, 'x'))
    const client = await answering(listener)
    const error = await failureOf(client.status())
    expect(error).toMatchObject({ name: 'ControlError', message: expect.stringContaining('more than 128 MiB') })
    expect(poured.bytes).toBeLessThan(256 * MiB)
    return { happened: `${poured.bytes / MiB} MiB were taken, then the command ended`, held: '128 MiB of an answer' }
  })

  attack('sends events without end in one line', async () => {
    const { poured, listener } = pouring('', 2_048 * MiB, Buffer.alloc(MiB, 'x'))
    const client = await answering(listener)
    const error = await failureOf(client.events().next())
    expect(error).toMatchObject({ name: 'ControlError', message: expect.stringContaining('more than 1 MiB') })
    expect(poured.bytes).toBeLessThan(128 * MiB)
    return { happened: `${poured.bytes / MiB} MiB were taken, then the command ended`, held: '1 MiB of an event' }
  })

  control('an answer of 64 MiB, as a large network has it, and events are read', async () => {
    const large = await answering(pouring('{"schema":1', 64 * MiB, blanks, '}').listener)
    expect(await large.status()).toEqual({ schema: 1 })
    const { listener } = pouring('{"type":"changed"}\n{"type":', 0, blanks, '"again"}\n')
    const events = (await answering(listener, 'zoe')).events()
    expect([(await events.next()).value, (await events.next()).value]).toEqual([{ type: 'changed' }, { type: 'again' }])
  })

  /** Somebody else's socket, and how many connections it got. */
  const others = async (): Promise<{ path: string; calls: () => number }> => {
    let calls = 0
    const server = createServer((_request, response) => response.end('{"schema":1}'))
    servers.push(server.on('connection', () => calls++))
    const path = join(home.folder, 'other.sock')
    mkdirSync(dirname(home.socket('link')), { recursive: true })
    await new Promise<void>((resolve) => server.listen(path, resolve))
    return { path, calls: () => calls }
  }

  attack('puts a link to the socket of somebody else in the place of its own, or what is no socket', async () => {
    const { path, calls } = await others()
    symlinkSync(path, home.socket('link'))
    writeFileSync(home.socket('file'), '')
    const told: string[] = []
    for (const name of ['link', 'file']) {
      const error = await failureOf(controlClient({ path: home.socket(name) }).status())
      const { code, err } = await runCli(['status', '--node', name], { home: home.folder })
      told.push(`${name}: ${error?.name}, ${code}`)
      expect([error?.message, err]).toEqual([
        expect.stringContaining('nothing is sent to it'),
        expect.stringContaining('nothing is sent to it')
      ])
    }
    expect(calls()).toBe(0)
    return {
      happened: `${told.join('; ')}: 0 connections to the other socket`,
      held: 'a command connects to the socket that it has opened, by its number, and to none behind a link'
    }
  })

  control('the same socket is connected to under its own name', async () => {
    const { path, calls } = await others()
    await controlClient({ path }).status()
    expect(calls()).toBe(1)
  })

  attack('changes the protocol and says nothing more', async () => {
    const server = createRaw((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => socket.write('HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'))
    })
    const path = home.socket('silent')
    mkdirSync(dirname(path), { recursive: true })
    await new Promise<void>((resolve) => server.listen(path, resolve))
    const client = controlClient({ path })
    const told = [await failureOf(client.status()), await failureOf(client.events().next())]
    server.close()
    expect(told).toEqual([
      expect.objectContaining({ name: 'ControlError', message: expect.stringContaining('changed the protocol') }),
      expect.objectContaining({ name: 'ControlError' })
    ])
    return { happened: 'a call and the events ended at once', held: 'a connection that is closed is no answer' }
  })

  attack('answers what is no answer', async () => {
    const answers = ['', 'x', '{', 'null', '7', '[]', '"x"', '{}', '{"error":7}', '{"error":null}', '{"error":{}}']
    const told = new Set<string>()
    for (const [at, answer] of answers.entries()) {
      const client = await answering((_request, response) => response.end(answer), `n${at}`)
      const error = await failureOf(client.status())
      expect([answer, error?.name], answer).toEqual([answer, 'ControlError'])
      told.add(error?.message ?? '')
    }
    return {
      happened: `${answers.length} answers: ${[...told].join(' / ')}`,
      held: 'an answer is an object of this version'
    }
  })

  /** Each command, at a process that says what it should, with all words of its answers changed. */
  const forwarded = (socketPath: string, { method, url, headers }: IncomingMessage, body: Buffer): Promise<string> =>
    new Promise((resolve, reject) => {
      const call = request({ socketPath, method, path: url, headers, agent: false }, (response) => {
        response.toArray().then((chunks) => resolve(Buffer.concat(chunks).toString()), reject)
      })
      call.once('error', reject)
      call.end(body)
    })

  async function outcomes(change: (text: string) => string): Promise<string[]> {
    const evil = `evil${servers.length}`
    await answering((incoming, response) => {
      void incoming
        .toArray()
        .then((chunks) => forwarded(home.socket('honest'), incoming, Buffer.concat(chunks)))
        .then((text) => response.end(change(text)))
        .catch(() => response.destroy())
    }, evil)
    const failed: string[] = []
    for (const [command, args] of asking) {
      const { out, err } = await runCli([...command.split(' '), ...args, '--node', evil], {
        home: home.folder,
        columns: 100,
        env: { NO_COLOR: '1' }
      })
      const text = out + err
      if (/\bat .*:\d+:\d+|Cannot read|is not a|undefined|Invalid|must be|[^\P{C}\n\t]/u.test(text))
        failed.push(`${command}: ${text.slice(-300)}`)
    }
    return failed
  }

  attack('says words that no version knows, and such as a terminal obeys', async () => {
    await home.serve('honest', new ScriptedApi())
    const wrong = await outcomes((text) => text.replaceAll(/":"[a-z]+"/g, '":"bogus"'))
    const obeyed = await outcomes((text) => text.replaceAll(/":"[^"]*"/g, String.raw`":"\u001b[2Jbogus\u202e\rx"`))
    expect([wrong, obeyed]).toEqual([[], []])
    return {
      happened: `${asking.length} commands, each with two answers: printed without a colour, or refused`,
      held: 'a word that is not known has no colour, and everything that is printed is cleaned'
    }
  })
})
