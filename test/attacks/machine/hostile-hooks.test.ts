import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, vi } from 'vitest'
import { type HookEvent, HookRunner } from '../../../src/node/hooks/hook-runner.ts'
import { silentLogger } from '../../../src/runtime/clock-and-logger.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { tempFolder } from '../../helpers/temp.ts'
import { attack, control } from '../attack.ts'

/** The example of the page, word for word. */
const example = /```sh\n([\s\S]*?)```/.exec(readFileSync('docs/hooks.md', 'utf8'))?.[1] ?? ''

const words = [
  '$(touch pwned)',
  '`touch pwned`',
  '; touch pwned',
  '" && touch pwned && "',
  "' ; touch pwned ; '",
  '| touch pwned',
  'a\ntouch pwned\n',
  '-rf pwned',
  '%s%n%x',
  '\u001b]0;pwned\u0007'
]

const eventWith = (word: string): HookEvent => ({
  event: 'offline',
  at: '2026-11-30T00:00:00.000Z',
  node: { peerId: '12D3KooWself', name: 'hal' },
  peer: { peerId: '12D3KooWpeer', name: word, state: 'offline', reason: word },
  alarm: { code: word, message: word }
})

/** Runs a hook for an event with each word, in a folder of its own. */
async function run(folder: string, script: string) {
  const path = join(folder, 'hook')
  writeFileSync(path, script, { mode: 0o755 })
  vi.stubEnv('TMPDIR', folder)
  const failures: string[] = []
  const warn = (fields: object): void => void failures.push(JSON.stringify(fields))
  const logger = { ...silentLogger, warn }
  const runner = new HookRunner({ program: () => path, timeoutMs: () => 30_000, logger })
  for (const word of words) runner.add(eventWith(word))
  const events = join(folder, 'trustnet-events')
  const lines = (): string[] => (existsSync(events) ? readFileSync(events, 'utf8').split('{"schema"') : [])
  await vi.waitFor(() => expect(lines().length - 1 + failures.length).toBeGreaterThanOrEqual(words.length), {
    timeout: ceilingMs,
    interval: 50
  })
  vi.unstubAllEnvs()
  return { files: readdirSync(folder), failures, text: readFileSync(events, 'utf8') }
}

describe('what members write, in a hook', () => {
  attack('holds shell text, in name, reason and alarm', async () => {
    using folder = tempFolder()
    const { files, failures, text } = await run(folder.path, example)
    expect(failures).toEqual([])
    expect(files.toSorted()).toEqual(['hook', 'trustnet-events'])
    for (const word of words) expect(text).toContain(JSON.stringify(word))
    return {
      happened: `${words.length} events with shell text in every field ran the example of docs/hooks.md: it wrote them down, and ${files.length - 2} other files were made`,
      held: 'a hook is run without a shell and without arguments; the event is JSON on its stdin'
    }
  })

  /** A slow hook, while a member flaps; gives whose events it was told of, and how many were dropped. */
  const told = async (flaps: number) => {
    using folder = tempFolder()
    const [path, heard, goes] = ['hook', 'heard', 'goes'].map((name) => join(folder.path, name))
    if (path === undefined || heard === undefined || goes === undefined) throw new Error('a path is missing')
    const script = `#!/bin/sh\nwhile test ! -e ${goes}; do sleep 0.05; done\necho "$TRUSTNET_EVENT $TRUSTNET_PEER_NAME" >> ${heard}\n`
    writeFileSync(path, script, { mode: 0o755 })
    const runner = new HookRunner({ program: () => path, timeoutMs: () => ceilingMs, logger: silentLogger })
    const of = (name: string): HookEvent => ({
      ...eventWith(name),
      peer: { peerId: name, name, state: 'offline', reason: null },
      alarm: null
    })
    for (let turn = 0; turn < flaps; turn++) runner.add(of('mallory'))
    for (const name of ['hal', 'ann']) runner.add(of(name))
    runner.add({ ...eventWith('x'), event: 'alarm', peer: null })
    writeFileSync(goes, '')
    const lines = (): string[] => (existsSync(heard) ? readFileSync(heard, 'utf8').trim().split('\n') : [])
    const all = flaps + 3 - runner.dropped
    await vi.waitFor(() => expect(lines()).toHaveLength(all), { timeout: ceilingMs, interval: 50 })
    return { lines: lines(), dropped: runner.dropped }
  }
  const others = ['offline hal', 'offline ann', 'alarm ']

  attack('flaps, so that what happens to others finds no place', async () => {
    const { lines, dropped } = await told(500)
    expect(lines.slice(-3).map((line) => line.trim())).toEqual(others.map((line) => line.trim()))
    expect(dropped).toBe(402)
    return {
      happened: `500 events of one member, and 3 of others: ${dropped} were dropped, all of the first`,
      held: 'of 100 events that wait, whoever has most loses its newest'
    }
  })

  control('is told in whole where there is room', async () => {
    const { lines, dropped } = await told(5)
    expect([lines.length, dropped]).toEqual([8, 0])
  })

  control('runs where a hook hands it to a shell itself', async () => {
    using folder = tempFolder()
    const { files } = await run(
      folder.path,
      `#!/bin/sh\ncd ${folder.path}\nread -r event\neval "echo $TRUSTNET_PEER_NAME"\necho "$event" >> trustnet-events\n`
    )
    expect(files).toContain('pwned')
  })
})
