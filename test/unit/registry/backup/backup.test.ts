import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { backUp } from '../../../../src/registry/backup/backup.ts'
import { manifestPath, readManifest } from '../../../../src/registry/backup/manifest.ts'
import { restoreOnce, restoreStore } from '../../../../src/registry/backup/restore.ts'
import { verifyStore } from '../../../../src/registry/backup/verify-store.ts'
import { verifySignatures } from '../../../../src/registry/log/verify-signatures.ts'
import { openEntryAsync } from '../../../../src/registry/objects/entry.ts'
import { openRecordAsync } from '../../../../src/registry/objects/record.ts'
import { openDatabase } from '../../../../src/registry/store/database.ts'
import { StoreError, StoreInUseError, WrongNetworkError } from '../../../../src/runtime/errors.ts'
import { RealNetwork } from '../../../helpers/real-network.ts'
import { tempFolder } from '../../../helpers/temp.ts'

/** A network with a member more than its backup has. */
async function withBackup() {
  const network = await RealNetwork.create()
  const folder = tempFolder()
  const backup = join(folder.path, 'registry.db')
  await network.admit('ann')
  const { head } = network.root.replica
  const manifest = await network.root.backup(backup)
  await network.admit('bob')
  return {
    network,
    backup,
    manifest,
    head,
    async [Symbol.asyncDispose]() {
      folder[Symbol.dispose]()
      await network[Symbol.asyncDispose]()
    }
  }
}

describe('a backup', () => {
  it('says in its manifest what it holds and what it lacks', async () => {
    await using made = await withBackup()
    const { backup, manifest, head } = made
    expect(readManifest(backup)).toEqual(manifest)
    expect(manifest.head).toEqual({ epoch: head.epoch, n: head.n, hash: Buffer.from(head.hash).toString('hex') })
    expect(manifest.rows).toMatchObject({ log: head.n + 1, records: 0 })
    expect(manifest.database.bytes).toBe(readFileSync(backup).length)
    expect(manifest.lacks.map((each) => each.split(':')[0])).toEqual(['node.key', 'log.key', 'recovery.kit'])
  })

  it('is one file, whose verification changes nothing in it', async () => {
    await using made = await withBackup()
    const { backup, network, head } = made
    const before = readFileSync(backup)
    const report = await verifyStore(backup)
    expect(report).toMatchObject({ epoch: 0, n: head.n, entries: head.n, members: 2, forks: 0, voided: 0 })
    expect(Buffer.compare(report.networkId, network.root.networkId)).toBe(0)
    expect(readFileSync(backup).equals(before)).toBe(true)
  })

  it.each([
    ['a flipped byte', (path: string) => flipByte(path, 5000)],
    ['a cut end', (path: string) => truncateSync(path, 8192)],
    ['a manifest that is gone', (path: string) => rmSync(manifestPath(path))],
    ['a manifest that is none', (path: string) => writeFileSync(manifestPath(path), '{}')],
    ['a manifest of another file', (path: string) => editManifest(path, { bytes: 4096 })]
  ])('is refused with %s, and what was there stays', async (_what, damage) => {
    await using made = await withBackup()
    const { network, backup } = made
    await network.root.close()
    damage(backup)
    const path = network.path('root')
    const before = readFileSync(path)
    await expect(restoreStore({ backup, path, older: true })).rejects.toThrow(StoreError)
    expect(readFileSync(path).equals(before)).toBe(true)
  })

  it('without its manifest is named first: what it is, and what is missing beside it', async () => {
    await using made = await withBackup()
    const { network, backup } = made
    const path = network.path('root')
    rmSync(manifestPath(backup))
    const text = new RegExp(`^${backup} is no backup, or an unfinished one: ${backup}.json, its manifest, is missing`)
    await expect(restoreStore({ backup, path })).rejects.toThrow(text)
    rmSync(backup)
    await expect(restoreStore({ backup, path })).rejects.toThrow(new RegExp(`^${backup} is not there`))
  })

  it('of a store that something else has written to says so, and leaves nothing; where there is no folder it says that', async () => {
    await using made = await withBackup()
    const { network, backup } = made
    await expect(network.root.backup(`${backup}-none/registry.db`)).rejects.toThrow(
      /check the folder and its free space$/
    )
    const { genesis } = network.root.replica.ledger
    await network.root.close()
    const db = openDatabase(network.path('root'))
    db.prepare("UPDATE log SET envelope = x'00' WHERE n = 1").run()
    await expect(backUp({ db, genesis, nowMs: 0 }, `${backup}.2`)).rejects.toThrow(
      /the store itself is damaged.* trustnet registry verify$/
    )
    db.close()
    expect(readdirSync(dirname(backup)).filter((name) => name.startsWith('registry.db.2'))).toEqual([])
  })

  it('is broken off while it is verified, and what was there stays', async () => {
    await using made = await withBackup()
    const { network, backup } = made
    await network.root.close()
    const path = network.path('root')
    const before = readFileSync(path)
    const reason = new Error('Ctrl-C')
    const stop = new AbortController()
    const work = restoreStore({ backup, path, older: true, signal: stop.signal })
    stop.abort(reason)
    await expect(work).rejects.toBe(reason)
    expect(readFileSync(path).equals(before)).toBe(true)
  })

  it('is put in place once: not over a store that goes as far by now, and over one of another network', async () => {
    await using made = await withBackup()
    const { network, backup, head } = made
    const networkId = network.root.networkId.slice()
    await network.root.close()
    const path = network.path('root')
    const [store, other] = [
      join(dirname(backup), 'store', 'registry.db'),
      join(dirname(backup), 'other', 'registry.db')
    ]
    await restoreOnce({ backup, path: store, networkId })
    expect((await verifyStore(store)).n).toBe(head.n)
    const before = readFileSync(path)
    await restoreOnce({ backup, path, networkId })
    expect(readFileSync(path).equals(before)).toBe(true)
    await using another = await RealNetwork.create()
    const foreign = join(dirname(backup), 'foreign.db')
    await another.root.backup(foreign)
    await restoreStore({ backup: foreign, path: other })
    await restoreOnce({ backup, path: other, networkId })
    expect(Buffer.compare((await verifyStore(other)).networkId, networkId)).toBe(0)
  })

  it('comes back as another store that is marked', async () => {
    await using made = await withBackup()
    const { network, backup, head } = made
    const { storeId } = network.root
    await network.root.close()
    const path = network.path('root')
    await expect(restoreStore({ backup, path })).rejects.toThrow(/goes? further|holds the log up to entry/)
    const before = readFileSync(path)
    await expect(restoreStore({ backup, path, plan: true })).rejects.toThrow(/holds the log up to entry/)
    expect(await restoreStore({ backup, path, older: true, plan: true })).toMatchObject({ movedTo: undefined })
    expect(readFileSync(path).equals(before)).toBe(true)
    const { movedTo } = await restoreStore({ backup, path, older: true, clock: network.clock })
    expect((await verifyStore(movedTo ?? '')).members).toBe(3)
    const root = await network.startRoot()
    expect(root.replica.head.n).toBe(head.n)
    expect(Buffer.compare(root.storeId, storeId)).not.toBe(0)
    expect(root.restored).toMatchObject({ epoch: 0, n: head.n, restoredMs: network.clock.now() })
    // Asked for at every judgement of the phase: the store is not.
    expect(root.restored).toBe(root.restored)
    await root.trustRestored()
    expect(root.restored).toBeUndefined()
  })

  it('puts each store that was there aside under a name of its own, however soon they follow', async () => {
    await using made = await withBackup()
    const { network, backup } = made
    await network.root.close()
    const path = network.path('root')
    const restore = async () => (await restoreStore({ backup, path, older: true, clock: network.clock })).movedTo ?? ''
    const former = readFileSync(path)
    const first = await restore()
    const second = await restore()
    expect(second).not.toBe(first)
    expect(readFileSync(first).equals(former)).toBe(true)
    expect((await verifyStore(second)).members).toBe(2)
  })

  it('takes the place of no store that is in use, nor of another network', async () => {
    await using made = await withBackup()
    await using other = await RealNetwork.create()
    const { network, backup } = made
    const path = network.path('root')
    await expect(restoreStore({ backup, path, older: true })).rejects.toThrow(StoreInUseError)
    const { networkId } = other.root
    await other.root.close()
    await expect(restoreStore({ backup, path: other.path('root'), networkId })).rejects.toThrow(WrongNetworkError)
  })

  it('takes the place of a store that is damaged', async () => {
    await using made = await withBackup()
    const { network, backup } = made
    await network.root.close()
    const path = network.path('root')
    writeFileSync(path, 'no database')
    await restoreStore({ backup, path })
    expect((await network.startRoot()).replica.state.memberByName('ann')).toBeDefined()
  })
})

describe('the verification of a store', () => {
  it('refuses one that is in use', async () => {
    await using network = await RealNetwork.create()
    await expect(verifyStore(network.path('root'))).rejects.toThrow(StoreInUseError)
  })

  it.each([
    [
      'an entry with another signature',
      "UPDATE log SET envelope = CAST(substr(envelope, 1, length(envelope) - 1) || x'ff' AS BLOB) WHERE n = 2"
    ],
    ['an entry that is gone', 'DELETE FROM log WHERE n = 2'],
    ['an entry with another hash', 'UPDATE log SET hash = randomblob(32) WHERE n = 2'],
    ['an entry that is not live any more', 'UPDATE log SET superseded = 3 WHERE n = 1'],
    ['another checkpoint', "UPDATE checkpoint SET envelope = x'00'"]
  ])('finds %s', async (_what, sql) => {
    await using network = await RealNetwork.create()
    await network.admit('ann')
    await network.root.close()
    const path = network.path('root')
    expect((await verifyStore(path)).members).toBe(2)
    const db = new BetterSqlite3(path)
    db.exec(sql)
    db.close()
    await expect(verifyStore(path)).rejects.toThrow(StoreError)
  })
})

function flipByte(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(path, bytes)
}

function editManifest(path: string, change: object): void {
  const manifest = JSON.parse(readFileSync(manifestPath(path), 'utf8'))
  writeFileSync(manifestPath(path), JSON.stringify({ ...manifest, database: { ...manifest.database, ...change } }))
}

describe('the signatures of a store', () => {
  it('are of the entries in whose places they are', async () => {
    await using network = await RealNetwork.create()
    const ann = await network.admit('ann')
    const { n } = network.root.replica.state.member(ann.publicKey)?.admit.value ?? { n: 0 }
    const { networkId } = network.root
    await network.root.close()
    const db = openDatabase(network.path('root'))
    onTestFinished(() => void db.close())
    const openers = { entry: openEntryAsync, record: openRecordAsync }
    expect(await verifySignatures(db, networkId, openers)).toMatchObject({ entries: n })
    db.exec(`UPDATE log SET hash = zeroblob(32) WHERE n = ${n}`)
    await expect(verifySignatures(db, networkId, openers)).rejects.toThrow(`entry ${n} is another one`)
  })
})
