import { createHash, randomBytes } from 'node:crypto'
import { copyFileSync, createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../../../src/identity/hash.ts'
import { loadKey } from '../../../src/identity/key-file.ts'
import { dataFiles } from '../../../src/node/config/paths.ts'
import { createLogging } from '../../../src/node/logging.ts'
import { TrustNode } from '../../../src/node/node.ts'
import type { EntryDraft } from '../../../src/registry/log/log-writer.ts'
import { openRegistry, type Registry, type RegistryInit } from '../../../src/registry/registry.ts'
import { type Database, openReadOnly } from '../../../src/registry/store/database.ts'
import { DocumentTable } from '../../../src/registry/store/document-table.ts'
import { benchConfig, type Flags, rootName } from '../../harness/network.ts'
import { serveMethods } from '../../harness/serve.ts'

/** A store with many documents, and nodes of the product that are waiting for one. */
let registry: Registry | undefined
let floor: Database | undefined
const nodes: TrustNode[] = []
const batch = 250
const patienceMs = 120_000

const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6

const holds = ({ documents }: Registry, id: string, version: number): boolean =>
  documents.list().some((row) => row.id === id && row.version === version && documents.bytes.has(row.digest))

/** Resolves with the moment in which the node holds it. */
async function heldAt(node: TrustNode, id: string, version: number): Promise<number> {
  const { events } = node.registry
  const held = Promise.withResolvers<number>()
  const look = (): void => {
    if (holds(node.registry, id, version)) held.resolve(machineMs())
  }
  const late = setTimeout(() => held.reject(new Error(`${node.config.name} was not given ${id}`)), patienceMs)
  events.addEventListener('documents', look)
  look()
  try {
    return await held.promise
  } finally {
    clearTimeout(late)
    events.removeEventListener('documents', look)
  }
}

const methods = {
  /** Opens the store of a root, and enters so many documents of that size. */
  async fill(folder: string, count: number, bytes: number): Promise<void> {
    const { paths } = benchConfig(folder, rootName, { role: 'root' })
    const files = dataFiles(paths.data)
    const [logKey, operatorKey] = [loadKey(files.logKey), loadKey(files.operatorKey)]
    const nodeKey = loadKey(paths.key)
    const init: RegistryInit = { path: files.store, role: 'root', nodeKey, root: { logKey, operatorKey } }
    const filled = await openRegistry(init)
    const { root, documents } = filled
    const publisherKey = nodeKey.publicKey
    for (let from = 0; from < count; from += batch) {
      const contents = Array.from({ length: Math.min(batch, count - from) }, () => Uint8Array.from(randomBytes(bytes)))
      const drafts: EntryDraft[] = contents.map((content, at) => ({
        kind: 'publish',
        body: {
          id: `d${from + at}`,
          documentVersion: 1,
          mediaType: 'application/octet-stream',
          digest: sha256(content),
          sizeBytes: bytes,
          publisherKey
        }
      }))
      const inCommit = (): void => {
        for (const content of contents) documents.bytes.insert(sha256(content), content)
      }
      await root?.append(drafts, { inCommit })
      for (const content of contents) documents.bytes.inserted(sha256(content), content)
    }
    await filled.close()
    const copy = join(folder, 'floor.db')
    copyFileSync(files.store, copy)
    floor = openReadOnly(copy)
    registry = await openRegistry(init)
  },

  /** Seconds that the product takes to check all of them. */
  async check(): Promise<number> {
    const from = performance.now()
    const count = await registry?.documents.bytes.check(new AbortController().signal)
    if (count !== registry?.documents.bytes.count) throw new Error('not all documents were looked at')
    return (performance.now() - from) / 1_000
  },

  /** Seconds for the same rows by the same statement, each hashed. */
  hash(): number {
    if (floor === undefined) throw new Error('there is no store')
    const table = new DocumentTable(floor)
    const from = performance.now()
    for (let row = table.after(0); row !== undefined; row = table.after(row.place)) {
      createHash('sha256').update(row.bytes).digest()
    }
    return (performance.now() - from) / 1_000
  },

  /** Starts nodes `from` to `to - 1` one after the other; resolves when each is a member with a session. */
  async startNodes(folder: string, from: number, to: number, flags: Flags): Promise<void> {
    for (let number = from; number < to; number++) {
      const config = benchConfig(folder, `n${number}`, flags)
      const output = createWriteStream(join(folder, `n${number}.log`))
      const logging = createLogging({ node: config.name, level: 'warn', format: 'json', output })
      const node = new TrustNode({ config, logging, control: false })
      nodes.push(node)
      await node.start()
      await node.joined({ signal: AbortSignal.timeout(patienceMs) })
    }
  },

  /** Times (machine clock, ms) at which the nodes of this process hold that version. */
  held: async (id: string, version: number): Promise<number[]> =>
    await Promise.all(nodes.map((node) => heldAt(node, id, version)))
}

export type DocumentsMethods = typeof methods

serveMethods(methods, async () => {
  floor?.close()
  await registry?.close()
  await Promise.all(nodes.map((node) => node.stop('the benchmark is over')))
})
