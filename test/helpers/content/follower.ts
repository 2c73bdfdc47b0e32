import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { BlockFolder } from '../../../src/content/block-folder.ts'
import { importFolder } from '../../../src/content/import-folder.ts'
import { encodeLink } from '../../../src/content/link.ts'
import { sealStoreManifest } from '../../../src/registry/objects/store-manifest.ts'
import { keyOf, networkId } from '../signed-objects.ts'

const quotaBytes = 2 ** 30
/** It is built, too: `npm run faults` runs what was built. */
const extension = import.meta.url.slice(-3)
const moduleAt = (path: string): string => new URL(`../../../src/${path}${extension}`, import.meta.url).href
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Follows a store until its files are written, with a line before each block that it is given, when all are here, and at its end. */
const program = `
const { BlockFolder } = await import('${moduleAt('content/block-folder')}')
const { SigningKey } = await import('${moduleAt('identity/keys')}')
const { StoreFetches } = await import('${moduleAt('node/stores/store-fetches')}')
const { Stores } = await import('${moduleAt('node/stores/stores')}')
const { openStoreManifest } = await import('${moduleAt('registry/objects/store-manifest')}')
const { silentLogger: logger, systemClock: clock } = await import('${moduleAt('runtime/clock-and-logger')}')
const [, from, folder, target, envelope, network, until] = process.argv
const [manifest, networkId] = [envelope, network].map((text) => Uint8Array.from(Buffer.from(text, 'hex')))
const source = await BlockFolder.open({ folder: from, quotaBytes: () => ${quotaBytes} })
let told = 0
const tell = (line) => {
  process.stdout.write(line + '\\n')
  if (++told === Number(until)) process.kill(process.pid, 'SIGKILL')
}
const exchange = {
  async *fetch(wants) {
    for await (const digest of wants) {
      tell('block ' + Buffer.from(digest).toString('hex'))
      const bytes = await source.read(digest)
      if (bytes === undefined) return
      yield { digest, bytes }
    }
  }
}
const config = { fetch: 'none', quotaBytes: ${quotaBytes}, keep: 1, symlinks: 'refuse', modes: 'ignore', readableBy: 'owner', revoked: 'keep' }
const key = SigningKey.fromSeed(new Uint8Array(32).fill(4))
const stores = new Stores({ folder, networkId, key, config, clock, logger })
const nameOf = ({ name }) => name
const no = () => {}
const fetches = new StoreFetches({ stores, exchange, sources: () => [], nameOf, logger, onChange: no, onRefused: no })
await stores.load()
const entry = stores.list()[0] ?? (await stores.follow(openStoreManifest(manifest, networkId), true))
entry.folder = target
await stores.save(entry)
let isHere = false
while (entry.writtenSeq === 0) {
  fetches.fill()
  if (!isHere && entry.versions.length > 0) tell('here')
  isHere ||= entry.versions.length > 0
  await new Promise((resolve) => setTimeout(resolve, 5))
}
tell('done')
process.exit(0)`

/** A store whose owner has its blocks in a folder. */
export interface SharedStore {
  /** Folder of the blocks. */
  readonly blocks: string
  readonly manifest: Uint8Array
}

/** Makes the blocks of a folder, and the manifest of its first version. */
export async function shareFolder(folder: string, blocks: string): Promise<SharedStore> {
  const source = await BlockFolder.open({ folder: blocks, quotaBytes: () => quotaBytes })
  const { root, size, files } = await importFolder({
    folder,
    put: async ({ digest, bytes }) => await source.put(digest, bytes),
    symlinks: 'refuse',
    signal: new AbortController().signal
  })
  await source.flush()
  const owner = keyOf(5)
  const content = { root: encodeLink(root), sizeBytes: size, files, issuedMs: 1, removed: false }
  const { bytes } = sealStoreManifest(
    { networkId, publicKey: owner.publicKey, seq: 1, name: 'music', ...content },
    owner
  )
  return { blocks, manifest: bytes }
}

/**
 * Has another process follow a store, with all that it writes in a folder: `stores` and `target`. It tells its lines, can be killed at each, and
 * kills itself at that with the number `until`, however late its lines are read.
 */
export async function followApart(
  { blocks, manifest }: SharedStore,
  folder: string,
  onLine: (line: string, kill: () => void) => void,
  until = 0
): Promise<void> {
  const argv = [blocks, join(folder, 'stores'), join(folder, 'target'), hex(manifest), hex(networkId), `${until}`]
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, ...argv], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let rest = ''
  for await (const chunk of child.stdout) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line, () => child.kill('SIGKILL'))
  }
}
