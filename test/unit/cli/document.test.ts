import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { origin, whyView } from '../../helpers/commands/control-views.ts'
import { documentsView } from '../../helpers/commands/document-views.ts'
import { ControlHome, runCli, ScriptedApi } from '../../helpers/control-process.ts'

let home: ControlHome
let api: ScriptedApi
let published: { id: string; mediaType: string; content: string }[]
beforeEach(async () => {
  home = await ControlHome.create()
  api = new ScriptedApi()
  published = []
  const answer = api.publishDocument
  api.publishDocument = async (input) => {
    published.push(input)
    return await answer(input)
  }
  await home.serve('hal', api)
})
afterEach(() => home[Symbol.asyncDispose]())

const run = (
  argv: string[],
  more: { stdin?: string; columns?: number; signal?: AbortSignal; onWrite?: (text: string) => void } = {}
) => runCli(['document', ...argv], { home: home.folder, ...more })

const file = (name: string, content: string | Uint8Array): string => {
  const path = join(home.folder, name)
  writeFileSync(path, content)
  return path
}

const publish = (path: string, ...more: string[]) => run(['publish', path, '--id', 'plan', ...more])

describe('publish', () => {
  test.each([
    ['plan.md', '# plan', 'text/markdown'],
    ['plan.JSON', '{}', 'application/json'],
    ['plan', 'words', 'text/plain'],
    ['empty', '', 'text/plain'],
    ['image', Buffer.from([0xff, 0xfe, 1]), 'application/octet-stream'],
    ['zeros', Buffer.from([0, 0]), 'application/octet-stream']
  ])('%s goes as it is, with the type of its name or content', async (name, content, mediaType) => {
    expect(await publish(file(name, content))).toMatchObject({ code: 0, out: 'version 2 of plan is published\n' })
    expect(published).toEqual([{ id: 'plan', mediaType, content: Buffer.from(content).toString('base64') }])
  })

  test('a type that is given counts, and standard input is a file, too', async () => {
    expect(await run(['publish', '-', '--id', 'plan', '--type', 'text/css'], { stdin: 'a {}' })).toMatchObject({
      code: 0
    })
    expect(published).toEqual([{ id: 'plan', mediaType: 'text/css', content: Buffer.from('a {}').toString('base64') }])
  })

  test('256 KiB are a document, one byte more is none, of a file or of standard input', async () => {
    expect((await publish(file('most', new Uint8Array(262_144)))).code).toBe(0)
    const large = await publish(file('large', new Uint8Array(300 * 1024)))
    expect(large).toMatchObject({ code: 2 })
    expect(large.err).toMatch(/has 307200 bytes, and a document has at most 262144; publish where it is and its digest/)
    const input = await run(['publish', '-', '--id', 'plan'], { stdin: 'x'.repeat(262_145) })
    expect(input).toMatchObject({ code: 2 })
    expect(input.err).toContain('standard input cannot be published')
    expect(published).toHaveLength(1)
  })

  test('a folder, a pipe, a device and what is not there are named, and nothing waits', async () => {
    const folder = join(home.folder, 'folder')
    mkdirSync(folder)
    const pipe = join(home.folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    for (const [path, what] of [
      [folder, 'it is a folder'],
      [pipe, 'it is a pipe'],
      ['/dev/zero', 'it is a device'],
      [join(home.folder, 'none'), 'it is not there']
    ] as const) {
      const { code, err } = await publish(path)
      expect([code, err]).toEqual([2, expect.stringContaining(what)])
    }
    expect(published).toEqual([])
  })

  test.each(['', '..', '../x', 'a/b', 'a b', '-', 'ä', 'x'.repeat(129)])('%j is no id', async (id) => {
    for (const argv of [
      ['publish', file('f', 'x'), `--id=${id}`],
      ['show', '--', id],
      ['retire', '--reason', 'x', '--', id]
    ])
      expect(await run(argv)).toMatchObject({ code: 2, err: expect.stringContaining('is no id of a document') })
    expect(published).toEqual([])
  })
})

describe('show', () => {
  const bytes = Buffer.from([0x1b, 0x5b, 0x41, 0xff, 0x00, 0x0a])
  const answer = (content: Uint8Array): void => {
    const view = api.document
    api.document = async (query) => ({ ...(await view(query)), content: Buffer.from(content).toString('base64') })
  }

  test('asks for the version that is named, wherever the option stands, and refuses what is none', async () => {
    const asked: unknown[] = []
    const view = api.document
    api.document = async (query) => {
      asked.push(query.version)
      return await view(query)
    }
    expect(await run(['show', 'plan', '--version', '2'])).toMatchObject({ code: 0, out: 'second' })
    expect(await run(['show', '--version', '1', 'plan'])).toMatchObject({ code: 0 })
    expect(asked).toEqual([2, 1])
    expect((await run(['show', 'plan', '--version', 'x'])).code).toBe(2)
  })

  test('writes the bytes as they are, and to a terminal text without control codes', async () => {
    expect(await run(['show', 'plan'])).toMatchObject({ code: 0, out: 'second' })
    answer(Buffer.from('a\u001b[31mb\n'))
    expect((await run(['show', 'plan'])).out).toBe('a\u001b[31mb\n')
    expect((await run(['show', 'plan'], { columns: 80 })).out).not.toContain('\u001b[31m')
    answer(bytes)
    expect(await run(['show', 'plan'], { columns: 80 })).toMatchObject({ code: 2, out: '' })
  })
})

test('show says beside the bytes how old the view is where nothing newer is heard', async () => {
  expect(await run(['show', 'plan'])).toMatchObject({ out: 'second', err: '' })
  const view = api.document
  api.document = async (query) => ({ ...(await view(query)), view: { ...origin, ageMs: 600_000 } })
  const { out, err } = await run(['show', 'plan'])
  expect([out, err]).toEqual(['second', expect.stringContaining('hears of nothing newer: as of')])
})

test('list, history and publishers name what there is', async () => {
  const list = await run(['list'])
  expect(list.out).toMatch(/plan .*here/)
  expect(list.out).not.toContain('replaced')
  expect(list.err).toContain('Version 1 of next by root waits here for the root')
  expect((await run(['list', '--all'])).out).toContain('retired: replaced')
  expect((await run(['history', 'plan'])).out).toMatch(/2\s+published.*kept here\n\s*2\s+retired.*replaced/s)
  expect((await run(['allow-publisher', 'hal'])).out).toBe('root may publish\n')
  expect((await run(['retire', 'plan', '--reason', 'x'])).out).toBe('plan: is retired\n')
  expect(await run(['retire', 'plan'])).toMatchObject({ code: 2 })
  expect(await run(['retire', 'plan', '--reason', ' '])).toMatchObject({ code: 2, out: '' })
})

test('retire takes several ids, or all current ones of a publisher', async () => {
  const several = await run(['retire', 'plan', 'notes', '--reason', 'x'])
  expect(several).toMatchObject({ code: 0, out: 'plan: is retired\nnotes: is retired\n' })
  expect((await run(['retire', '--publisher', 'root', '--reason', 'x'])).out).toBe('plan: is retired\n')
  expect(await run(['retire', '--publisher', 'eve', '--reason', 'x'])).toMatchObject({
    code: 4,
    err: expect.stringContaining('eve has published nothing that is current')
  })
  const [document] = documentsView.documents
  if (document === undefined) throw new Error('there is no document')
  const publisher = { peerId: whyView.peerId, name: null }
  api.documents = async () => ({ ...documentsView, documents: [{ ...document, publisher }] })
  api.why = async () => whyView
  expect((await run(['retire', '--publisher', 'eve', '--reason', 'x'])).out).toBe('plan: is retired\n')
  for (const argv of [[], ['plan', '--publisher', 'root']])
    expect(await run(['retire', '--reason', 'x', ...argv])).toMatchObject({
      code: 2,
      err: expect.stringContaining('Give ids, or --publisher')
    })
})

test('watch tells what is new until it is stopped', async () => {
  const stop = new AbortController()
  const [document] = documentsView.documents
  if (document === undefined) throw new Error('the example has no document')
  let asked = 0
  api.documents = async () => ({
    ...documentsView,
    documents: asked++ < 1 ? [] : [{ ...document, id: 'next' }]
  })
  const running = run(['watch'], {
    signal: AbortSignal.any([stop.signal, AbortSignal.timeout(ceilingMs)]),
    onWrite: (text) => {
      if (text.includes('next')) stop.abort()
    }
  })
  await expect.poll(() => api.watchers).toBe(1)
  api.emit({ schema: 1, type: 'head', epoch: 0, head: 13 })
  expect((await running).out).toMatch(/next {2}version 2 by root, 6B/)
})
