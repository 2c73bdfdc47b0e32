import { mkdirSync } from 'node:fs'
import { createServer, type IncomingMessage, request } from 'node:http'
import { dirname } from 'node:path'
import { afterEach, beforeEach, describe, expect } from 'vitest'
import { commandCalls } from '../../helpers/commands/command-calls.ts'
import { peerRow, peersView, root } from '../../helpers/commands/control-views.ts'
import { ControlHome, runCli, ScriptedApi } from '../../helpers/control-process.ts'
import { attack, control } from '../attack.ts'

let home: ControlHome
const closers: (() => void)[] = []
beforeEach(async () => {
  home = await ControlHome.create()
  const api = new ScriptedApi()
  const services = [{ name: 'web', port: 80, protocol: 'tcp' as const, tags: ['blue'], state: 'unknown' as const }]
  const maintenance = { sinceMs: 1, reason: 'disk' }
  api.peersAnswer = peersView([
    peerRow({ ...root, self: true, role: 'root' }),
    peerRow({ tags: ['rack-1'], services, maintenance, reason: 'connection lost' })
  ])
  await home.serve('honest', api)
})
afterEach(async () => {
  for (const close of closers.splice(0)) close()
  await home[Symbol.asyncDispose]()
})

const forwarded = (socketPath: string, { method, url, headers }: IncomingMessage, body: Buffer): Promise<string> =>
  new Promise((resolve, reject) => {
    const call = request({ socketPath, method, path: url, headers, agent: false }, (response) => {
      response.toArray().then((chunks) => resolve(Buffer.concat(chunks).toString()), reject)
    })
    call.once('error', reject)
    call.end(body)
  })

let nodes = 0
/** A process that answers as the honest one does, with some values changed. Gives its name. */
async function changing(change: (value: unknown, path: readonly string[]) => unknown): Promise<string> {
  const name = `changed${++nodes}`
  const walk = (value: unknown, path: readonly string[]): unknown => {
    if (Array.isArray(value)) return value.map((each, at) => walk(each, [...path, String(at)]))
    if (typeof value !== 'object' || value === null) return change(value, path)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, walk(each, [...path, key])]))
  }
  const server = createServer((incoming, response) => {
    void incoming
      .toArray()
      .then((chunks) => forwarded(home.socket('honest'), incoming, Buffer.concat(chunks)))
      .then((text) => response.end(JSON.stringify(walk(JSON.parse(text), []))))
      .catch(() => response.destroy())
  })
  mkdirSync(dirname(home.socket(name)), { recursive: true })
  await new Promise<void>((resolve) => server.listen(home.socket(name), resolve))
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return name
}

const run = async (argv: readonly string[], node: string, columns?: number) =>
  await runCli([...argv, '--node', node], {
    home: home.folder,
    env: { NO_COLOR: '1' },
    ...(columns === undefined ? {} : { columns })
  })

/** Keys of answers whose texts members, operators or other programs choose. */
const free = new Set([
  'version',
  'tags',
  'reason',
  'detail',
  'message',
  'mediaType',
  'summary',
  'error',
  'result',
  'lastError',
  'software',
  'lines',
  'refusal',
  'trouble'
])
const isFree = (path: readonly string[]): boolean => path.some((key) => free.has(key))
const mark = 'mark7'
const obeyed = `${mark}\u001b[2J\u001b]0;x\u0007\u009b31m\u202e\u200b\u2028\r\b\u{e0041}`
/** What is left of it where it was cleaned must not move a cursor; lines and tabs are the program's own. */
const moves = /[^\P{C}\n\t]|[\u2028\u2029]/u

/** Commands that end by themselves whatever the answer says. */
const asking = [...commandCalls].filter(([command]) => !['wait', 'document watch', 'events', 'ui'].includes(command))
const formats = ['hosts', 'ansible', 'prometheus-sd', 'ssh-config', 'tsv']

describe('what members write, shown to people', () => {
  const shown = async (change: (value: string) => string) => {
    const node = await changing((value, path) => (typeof value === 'string' && isFree(path) ? change(value) : value))
    const outputs = new Map<string, string>()
    const calls = [
      ...asking.map(([command, args]) => [...command.split(' '), ...args]),
      ...formats.map((each) => ['export', each])
    ]
    for (const argv of calls) {
      for (const more of [[], ['--json']]) {
        const { out, err } = await run([...argv, ...more], node, more.length === 0 ? 200 : undefined)
        outputs.set([...argv, ...more].join(' '), out + err)
      }
    }
    return outputs
  }

  attack('holds what a terminal obeys, in each text that they choose', async () => {
    const outputs = await shown((value) => value + obeyed)
    const obeying = [...outputs].filter(([, text]) => moves.test(text)).map(([call]) => call)
    const reached = [...outputs].filter(([, text]) => text.includes(mark))
    expect(obeying).toEqual([])
    expect(reached.length).toBeGreaterThan(40)
    return {
      happened: `${outputs.size} calls, of which ${reached.length} show such a text: nothing that a terminal obeys`,
      held: 'everything that is printed is cleaned, and escaped in JSON'
    }
  })

  control('letters of any script are shown as they are', async () => {
    const outputs = await shown((value) => `${value} größe 日本`)
    expect([...outputs.values()].filter((text) => text.includes('größe 日本')).length).toBeGreaterThan(40)
  })
})

describe('what a process says of members, in the line that a shell completes', () => {
  /** Expects these words. They are asked for within a second, which a busy machine may miss: then none is offered. */
  const offers = async (name: string, words: readonly string[]): Promise<void> => {
    const node = await changing((value, path) => (path.at(-1) === 'name' && value === 'hal' ? name : value))
    const completed = async (): Promise<string[]> => {
      const { out } = await runCli(['complete', '--', 'why', '--node', node, ''], { home: home.folder })
      return out.split('\n').filter((word) => word !== '')
    }
    await expect.poll(completed, { message: name }).toEqual(words)
  }

  attack('is a command of the shell', async () => {
    const names = [
      '$(touch /tmp/owned)',
      '`id`',
      'x;id',
      'a b',
      '*',
      '~root',
      '"x',
      "'x",
      'x&',
      '!!',
      '--yes',
      '=ls',
      '\\x',
      '{a,b}',
      '#x',
      '<x'
    ]
    for (const name of names) await offers(name, ['root'])
    return {
      happened: `${names.length} names: none was offered, the others were`,
      held: 'only words that mean themselves to a shell are offered'
    }
  })

  control('a name is offered', async () => {
    await offers('hal-2', ['root', 'hal-2'])
  })
})

const poison = `x"'\n  ProxyCommand touch /tmp/owned\nHost *\n{{ lookup("pipe", "id") }}{% raw %}\t,2001:db8::bad evil $(id) \`id\``
const lines: Readonly<Record<string, RegExp>> = {
  hosts: /^(?:# [^{]*|[\da-f:]+(?: [a-z\d.-]+){1,2}|)$/,
  'ssh-config': /^(?:# [^{]*|Host [a-z\d. -]+| {2}HostName [\da-f:]+| {2}HostKeyAlias [a-z\d.-]+| {2}Port \d+|)$/,
  tsv: /^(?:(?:[^\t]+\t){8}[^\t]+|)$/
}

/** The reason why a text is another one than its format has; undefined: it is sound. */
function breach(format: string, text: string): string | undefined {
  if (/\{\{|\{%/.test(text)) return 'a template'
  const pattern = lines[format]
  if (pattern === undefined) return JSON.parse(text) === null ? 'nothing' : undefined
  return text.split('\n').find((line) => !pattern.test(line))
}

describe('what a process says of members, in files of other programs', () => {
  /** All places of the answers about members at which a word or a number stands. */
  const places = async (): Promise<string[]> => {
    const found = new Set<string>()
    const node = await changing((value, path) => {
      if (typeof value === 'string' || typeof value === 'number') found.add(path.join('/'))
      return value
    })
    for (const format of formats) expect(await run(['export', format], node)).toMatchObject({ code: 0 })
    return [...found].filter((place) => place !== 'schema')
  }
  const exported = async (format: string, place: string) => {
    const node = await changing((value, path) => (path.join('/') === place ? poison : value))
    return await run(['export', format], node)
  }

  attack('breaks out of them: a line, a command, a template, a field more', async () => {
    const wrong: string[] = []
    const all = await places()
    let refused = 0
    for (const place of all) {
      for (const format of formats) {
        const { code, out } = await exported(format, place)
        if (code !== 0) refused++
        const why = out === '' ? undefined : breach(format, out)
        if (why !== undefined) wrong.push(`${format}, ${place}: ${why}`)
      }
    }
    expect(wrong).toEqual([])
    expect(all.length).toBeGreaterThan(30)
    return {
      happened: `${all.length} places of the answers, ${formats.length} formats: ${refused} refused, the others are sound`,
      held: 'words, labels and numbers are held to be such, texts of members have their signs taken out'
    }
  })

  control('the same text comes as far as the command, and would break each of them', async () => {
    const node = await changing((value, path) => (path.at(-1) === 'version' ? poison : value))
    const { out } = await run(['export', 'hosts', '--json'], node)
    expect(out).toContain('ProxyCommand')
    for (const format of formats) expect(breach(format, JSON.stringify([poison]))).toBeDefined()
  })
})
