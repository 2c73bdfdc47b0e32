import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { PeerChange } from '../../../src/cli/peers/peer-changes.ts'
import { happening, root } from '../../helpers/commands/control-views.ts'
import { ControlHome, runCli, ScriptedApi } from '../../helpers/control-process.ts'
import { expectSchema } from '../../helpers/schemas.ts'

const csi = '\u001b['

let home: ControlHome
let api: ScriptedApi
beforeEach(async () => {
  home = await ControlHome.create()
  api = new ScriptedApi()
  await home.serve('hal', api)
})
afterEach(() => home[Symbol.asyncDispose]())

const run = (argv: string[], init: Partial<Parameters<typeof runCli>[1]> = {}) =>
  runCli(argv, { home: home.folder, ...init })

describe('peers', () => {
  test('--watch on a pipe: a JSON line for each peer, and one per change, until the signal', async () => {
    const stop = new AbortController()
    const before = api.peersAnswer
    const [self, hal, other] = before.peers
    if (self === undefined || hal === undefined || other === undefined) throw new Error('three peers')
    const later = [
      // A figure that moves by itself is no change. Then one comes while another goes.
      [self, { ...hal, state: 'offline' as const, reason: 'lease lapsed', rttUs: 9, seenAgeMs: 1, bytesIn: 7 }, other],
      [self, other, { ...hal, peerId: root.peerId.replace(/.$/, 'b'), name: 'zoe' }]
    ]
    const ended = run(['peers', '--watch'], {
      signal: stop.signal,
      onWrite(out) {
        if (out.split('\n').length - 1 === 6) return stop.abort()
        if (out.split('\n').length - 1 < 4 - (later.length - 1)) return
        const next = later.shift()
        if (next === undefined) return
        api.peersAnswer = { ...before, peers: next }
        api.emit({ schema: 1, type: 'peer', peerId: hal.peerId, state: 'online' })
      }
    })
    const { out, code } = await ended
    expect(code).toBe(130)
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line): PeerChange => JSON.parse(line))
    for (const line of lines) expectSchema('peers-watch', line)
    expect(lines.map(({ change, fields, peer }) => [change, peer.name, ...fields].join(' '))).toEqual([
      'present root',
      'present hal',
      'present ',
      'changed hal state reason',
      'added zoe',
      'removed hal'
    ])
  })
})

describe('events', () => {
  test('are a line each: when, who, what, why and who says so', async () => {
    api.happened.push(
      happening({ id: 2e12, type: 'admitted', state: null, before: null, source: null, reason: '', member: root }),
      happening({ id: 3e12, state: 'offline', before: null, reason: `lease${csi}2J lapsed` })
    )
    const { out, code } = await run(['events'])
    expect(code).toBe(0)
    expect(out.trimEnd().split('\n')).toEqual([
      '2027-01-15T08:00:00Z  hal   online → suspect: connection lost (says root)',
      '2027-01-15T08:00:00Z  root  admitted',
      '2027-01-15T08:00:00Z  hal   offline: lease\uFFFD[2J lapsed (says root)'
    ])
    expect(await run(['events', '--since', 'soon'])).toMatchObject({ code: 2, out: '' })
    api.happened = []
    expect(await run(['events', '--since', '1d'])).toMatchObject({ code: 4, out: '' })
  })

  test('--follow tells each once, also those of a burst', async () => {
    const stop = new AbortController()
    const ended = run(['events', '--follow', '--json'], {
      signal: stop.signal,
      onWrite(out) {
        const count = out.split('\n').length - 1
        if (count === 4) return stop.abort()
        if (count === 3) return
        const id = 3e12 + count
        api.happened.push(happening({ id }), ...(count === 2 ? [happening({ id: id + 1 })] : []))
        api.emit({ schema: 1, type: 'status', word: 'healthy', phase: 'federated' })
      }
    })
    const lines = (await ended).out.trimEnd().split('\n')
    const events = lines.map((line): unknown => JSON.parse(line))
    for (const event of events)
      expect(event).toMatchObject({ schema: 1, generatedAt: expect.any(String), view: { name: 'root' } })
    const ids = events.map((event) => Reflect.get(Object(event), 'id'))
    expect(ids).toEqual([1_800_000_000_000, 3e12 + 1, 3e12 + 2, 3e12 + 3])
  })
})
