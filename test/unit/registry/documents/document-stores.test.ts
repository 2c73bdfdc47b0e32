import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sha256 } from '../../../../src/identity/hash.ts'
import { verifyStoreAt } from '../../../../src/node/offline/stopped-store.ts'
import { restoreStore } from '../../../../src/registry/backup/restore.ts'
import { verifyStore } from '../../../../src/registry/backup/verify-store.ts'
import { openDatabase } from '../../../../src/registry/store/database.ts'
import { RealNetwork } from '../../../helpers/real-network.ts'
import { tempFolder } from '../../../helpers/temp.ts'

let network: RealNetwork
let folder: ReturnType<typeof tempFolder>
let backup: string

beforeEach(async () => {
  network = await RealNetwork.create()
  folder = tempFolder()
  backup = join(folder.path, 'registry.db')
})
afterEach(async () => {
  await network[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

const publish = (id: string, content: string) =>
  network.root.documents.publish({ id, mediaType: 'text/plain', bytes: Buffer.from(content) })

const contentOf = async (id: string, version?: number): Promise<string | undefined> => {
  const { documents } = network.root
  const { digest } = await documents.entryOf(id, version ?? documents.get(id).version)
  const bytes = await documents.bytes.read(digest)
  return bytes && Buffer.from(bytes).toString()
}

test('a backup has the documents with their bytes, and so has what is restored from it', async () => {
  await publish('plan', 'first')
  await publish('plan', 'second')
  await network.root.backup(backup)
  await publish('later', 'x')
  expect(await verifyStore(backup)).toMatchObject({ documents: 2, damagedDocuments: [] })
  await network.root.close()
  await restoreStore({ backup, path: network.path('root'), older: true })
  const { documents } = await network.startRoot()
  expect(documents.list().map(({ id, version }) => [id, version])).toEqual([['plan', 2]])
  expect([await contentOf('plan'), await contentOf('plan', 1)]).toEqual(['second', 'first'])
  expect(documents.bytes.missing()).toEqual([])
})

test('bytes that the disk has changed are named when a store is verified; such a backup is restored all the same', async () => {
  for (let at = 0; at < 6; at++) await publish(`plan-${at}`, `${at}`)
  await publish('plan-5', 'second')
  await publish('right', 'right')
  await network.root.close()
  const db = openDatabase(network.path('root'))
  db.prepare("UPDATE document_bytes SET bytes = x'00' WHERE digest <> ?").run(sha256(Buffer.from('right')))
  db.close()
  await network.startRoot()
  await network.root.backup(backup)
  const report = await verifyStore(backup)
  expect(report.documents).toBe(8)
  expect(report.damagedDocuments).toHaveLength(7)
  expect(report.damagedDocuments).toEqual(expect.arrayContaining(['plan-5 (version 2)', 'an old version']))
  await expect(verifyStoreAt(backup)).rejects.toThrow(
    /changed the bytes of documents: plan-0 \(version 1\), .*, and 2 more; all else is right/
  )
  await network.root.close()
  await restoreStore({ backup, path: network.path('root'), older: true })
  const root = await network.startRoot()
  expect(await root.documents.bytes.check(new AbortController().signal)).toBe(8)
  expect(root.alarms.list().map(({ code }) => code)).toEqual(['document_damaged'])
  expect(root.documents.bytes.missing()).toHaveLength(6)
  expect(await contentOf('right')).toBe('right')
})
