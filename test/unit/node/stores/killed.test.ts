import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { BlockFolder } from '../../../../src/content/block-folder.ts'
import { importFolder } from '../../../../src/content/import-folder.ts'
import { encodeLink } from '../../../../src/content/link.ts'
import { partPrefix } from '../../../../src/content/names.ts'
import { sha256 } from '../../../../src/identity/hash.ts'
import { sealStoreManifest } from '../../../../src/registry/objects/store-manifest.ts'
import { filesOf } from '../../../helpers/content/blocks.ts'
import { keyOf, networkId } from '../../../helpers/signed-objects.ts'
import { memoryFolder } from '../../../helpers/temp.ts'

const quotaBytes = 2 ** 30
const moduleAt = (path: string): string => new URL(`../../../../src/${path}.ts`, import.meta.url).href
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Follows a store until its files are written, with a line before each block that it is given. */
const follower = `
const { BlockFolder } = await import('${moduleAt('content/block-folder')}')
const { SigningKey } = await import('${moduleAt('identity/keys')}')
const { StoreFetches } = await import('${moduleAt('node/stores/store-fetches')}')
const { Stores } = await import('${moduleAt('node/stores/stores')}')
const { openStoreManifest } = await import('${moduleAt('registry/objects/store-manifest')}')
const { silentLogger: logger, systemClock: clock } = await import('${moduleAt('runtime/clock-and-logger')}')
const [, from, folder, target, envelope, network] = process.argv
const [manifest, networkId] = [envelope, network].map((text) => Uint8Array.from(Buffer.from(text, 'hex')))
const source = await BlockFolder.open({ folder: from, quotaBytes: () => ${quotaBytes} })
const exchange = {
  async *fetch(wants) {
    for await (const digest of wants) {
      process.stdout.write('block ' + Buffer.from(digest).toString('hex') + '\\n')
      const bytes = await source.read(digest)
      if (bytes === undefined) return
      yield { digest, bytes }
    }
  }
}
const config = { fetch: 'none', quotaBytes: ${quotaBytes}, keep: 1, symlinks: 'refuse', readableBy: 'owner', revoked: 'keep' }
const key = SigningKey.fromSeed(new Uint8Array(32).fill(4))
const stores = new Stores({ folder, networkId, key, config, clock, logger })
const nameOf = ({ name }) => name
const no = () => {}
const fetches = new StoreFetches({ stores, exchange, sources: () => [], nameOf, logger, onChange: no, onRefused: no })
await stores.load()
const entry = stores.list()[0] ?? (await stores.follow(openStoreManifest(manifest, networkId), true))
entry.folder = target
await stores.save(entry)
while (entry.writtenSeq === 0) {
  fetches.fill()
  await new Promise((resolve) => setTimeout(resolve, 5))
}
process.stdout.write('done\\n')
process.exit(0)`

/** Gives the lines that it wrote until it was killed at one of them, or ended. */
async function killedAt(line: number, argv: readonly string[]): Promise<string[]> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', follower, ...argv], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let told = ''
  for await (const chunk of child.stdout) {
    told += String(chunk)
    if (told.split('\n').length > line) child.kill('SIGKILL')
  }
  return told.trim().split('\n')
}

test('a follower that is killed again and again goes on, and leaves whole blocks and whole files alone', async () => {
  using temp = memoryFolder()
  const at = (name: string): string => join(temp.path, name)
  mkdirSync(at('shared/sub'), { recursive: true })
  for (let i = 0; i < 5; i++)
    writeFileSync(at(`shared/${i % 2 === 0 ? '' : 'sub/'}file ${i}`), randomBytes(i * 150_000))
  const source = await BlockFolder.open({ folder: at('source'), quotaBytes: () => quotaBytes })
  const { root, size, files } = await importFolder({
    folder: at('shared'),
    put: async ({ digest, bytes }) => await source.put(digest, bytes),
    symlinks: 'refuse',
    signal: new AbortController().signal
  })
  await source.flush()
  const owner = keyOf(5)
  const manifest = sealStoreManifest(
    {
      networkId,
      publicKey: owner.publicKey,
      seq: 1,
      name: 'music',
      root: encodeLink(root),
      sizeBytes: size,
      files,
      issuedMs: 1,
      removed: false
    },
    owner
  )
  const argv = [at('source'), at('stores'), at('target'), hex(manifest.bytes), hex(networkId)]
  const asked: string[] = []
  let kills = 0
  for (let lines: string[] = []; lines.at(-1) !== 'done'; kills++) {
    lines = await killedAt(kills < 6 ? kills + 1 : 1_000, argv)
    asked.push(...lines.filter((line) => line.startsWith('block ')))
    const blocks = readdirSync(at('stores/blocks'), { recursive: true, withFileTypes: true })
    for (const block of blocks.filter((each) => each.isFile() && !each.name.startsWith('.part-'))) {
      const path = join(block.parentPath, block.name)
      expect(path.replace(/^.*blocks/, '').replaceAll('/', '')).toBe(hex(sha256(readFileSync(path))))
    }
    const whole = Object.entries(filesOf(at('shared')))
    for (const [name, content] of existing(at('target'))) expect(whole).toContainEqual([name, content])
  }
  expect(filesOf(at('target'))).toEqual(filesOf(at('shared')))
  // One that was asked for when it was killed is asked for again, and no other.
  expect(asked.length - new Set(asked).size).toBeLessThanOrEqual(kills)
})

/** Files that have their own names by now. */
function existing(folder: string): [string, string][] {
  try {
    return Object.entries(filesOf(folder)).filter(([name]) => !name.includes(partPrefix))
  } catch {
    return []
  }
}
