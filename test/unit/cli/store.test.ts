import { resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { StoreRow } from '../../../src/node/api/control-api.ts'
import { storeRow, storesView } from '../../helpers/commands/store-views.ts'
import { ControlHome, runCli, ScriptedApi } from '../../helpers/control-process.ts'

let home: ControlHome
let api: ScriptedApi
beforeEach(async () => {
  home = await ControlHome.create()
  api = new ScriptedApi()
  await home.serve('hal', api)
})
afterEach(() => home[Symbol.asyncDispose]())

const run = (...argv: string[]) => runCli(['store', ...argv], { home: home.folder })

/** The process answers with these rows, one after the other, and then with the last. */
function answer(...rows: StoreRow[]): void {
  let at = 0
  api.store = async () => ({ store: rows[Math.min(at++, rows.length - 1)] ?? storeRow() })
}

describe('add', () => {
  test('shares the folder by its absolute path, waits until it was read, and prints the CID', async () => {
    const asked: unknown[] = []
    api.addStore = async (query) => {
      asked.push(query)
      return { store: storeRow({ state: 'reading', seq: null, heldSeq: null, cid: null }) }
    }
    answer(storeRow({ state: 'reading', seq: null, heldSeq: null }), storeRow({ state: 'shared' }))
    const { code, out, err } = await run('add', 'docs', '--name', 'music', '--watch')
    expect([code, out]).toEqual([0, `music is shared: 12 files, ${storeRow().cid ?? ''}\n`])
    expect(err).toContain('Reading the folder of music')
    expect(asked).toEqual([{ folder: resolve('docs'), name: 'music', watch: true }])
  })

  test('a folder that cannot be read is not called being read', async () => {
    api.stores = async () => ({ ...storesView, stores: [storeRow({ state: 'reading', trouble: 'a link' })] })
    expect((await run('status')).out).toContain('cannot be read')
  })

  test('says why a folder cannot be shared, and what next', async () => {
    answer(storeRow({ state: 'reading', trouble: 'docs could not be read: link is a symbolic link' }))
    const { code, out, err } = await run('add', 'docs')
    expect([code, out]).toEqual([6, ''])
    expect(err).toMatch(/is a symbolic link.*trustnet store remove music/s)
  })
})

describe('sync', () => {
  test('waits until the version of now is here, and says how far it is', async () => {
    const fetching = { state: 'fetching', seq: 4, arrivedBytes: 1_048_576 } as const
    answer(
      storeRow({ seq: 4, state: 'waiting' }),
      storeRow(fetching),
      storeRow({ seq: 4, heldSeq: 4, folder: '/srv/m' })
    )
    const { code, out, err } = await run('sync', 'root/music', '--to', '/srv/m')
    expect([code, out]).toEqual([0, 'root/music is here, in /srv/m\n'])
    expect(err).toContain('Fetching music: 1.0MiB of 4.0MiB')
  })

  test('ends when it waits for others, and when there is no room', async () => {
    answer(storeRow({ seq: 4, state: 'waiting', trouble: 'nobody who can be reached has the rest of it' }))
    expect(await run('sync', 'music')).toMatchObject({ code: 7, err: expect.stringContaining('It goes on by itself') })
    answer(storeRow({ seq: 4, state: 'refused', trouble: 'there is no room for root/music' }))
    expect(await run('sync', 'music')).toMatchObject({ code: 6, err: expect.stringContaining('there is no room') })
  })

  test('takes a store or --all, and a folder for one store alone', async () => {
    expect((await run('sync', '--all')).out).toContain('All stores are tried again')
    for (const argv of [['sync'], ['sync', 'music', '--all'], ['sync', '--all', '--to', '/srv/m']])
      expect((await run(...argv)).code).toBe(2)
  })
})

test('list has what is offered, status what is here, and both say what is wrong', async () => {
  api.stores = async () => ({
    quotaBytes: 2 ** 30,
    usedBytes: 2 ** 20,
    unknown: 2,
    silent: [{ peerId: 'x', name: 'ann' }],
    stores: [
      storeRow({ trouble: 'several members share a store music' }),
      storeRow({ name: 'maps', state: 'offered', heldSeq: null }),
      storeRow({ name: 'own', state: 'shared', folder: '/srv/own', watch: true, pinned: true })
    ]
  })
  const list = await run('list')
  expect(list.out).toMatch(/music.*here/)
  expect(list.out).toMatch(/maps.*offered/)
  expect(list.err).toMatch(/2 more stores nobody.*what it is: ann\..*root\/music: several members/s)
  const status = await run('status')
  expect(status.out).not.toContain('maps')
  expect(status.out).toMatch(/own.*shared from here, pinned/)
  expect(status.out).toContain('own: /srv/own, watched')
  expect(status.out).toContain('1.0MiB of 1.0GiB are used')
})

test('show has all of one, and its CID alone', async () => {
  const { out } = await run('show', 'music')
  expect(out).toMatch(/store +root\/music\n.*cid +bafy.*\n.*holders +2/s)
  expect((await run('show', 'music', '--cid')).out).toBe(`${storeRow().cid ?? ''}\n`)
})

test('text of others is shown without control codes', async () => {
  api.stores = async () => ({
    quotaBytes: 1,
    usedBytes: 1,
    unknown: 0,
    silent: [],
    stores: [storeRow({ trouble: 'a\u001b[2Jb', folder: '/srv/\u001b[2J' })]
  })
  const { out, err } = await run('status')
  expect(`${out}${err}`).not.toContain('\u001b')
})

test('remove says what it would do, pin can be taken back', async () => {
  const asked: unknown[] = []
  const { removeStore, pinStore } = api
  api.removeStore = async (query) => {
    asked.push(query)
    return await removeStore(query)
  }
  api.pinStore = async (query) => {
    asked.push(query)
    return await pinStore(query)
  }
  expect(await run('remove', 'music', '--plan')).toMatchObject({ code: 0, out: 'music is kept no more\n' })
  expect((await run('pin', 'music')).code).toBe(0)
  expect((await run('pin', 'music', '--off')).code).toBe(0)
  expect(asked).toEqual([
    { store: 'music', plan: true },
    { store: 'music', pinned: true },
    { store: 'music', pinned: false }
  ])
})
