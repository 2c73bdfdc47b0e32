import { existsSync, readFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'

const root = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')

interface Locked {
  version?: string
  integrity?: string
  link?: boolean
  dev?: boolean
  optional?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
}

const lock: { packages: Record<string, Locked> } = JSON.parse(read('package-lock.json'))
/** What the lock file installs, by its folder; '' is this project. */
const packages = Object.entries(lock.packages).filter(([path]) => path !== '')
const nameOf = (path: string): string => path.split('node_modules/').at(-1) ?? ''
const versionsOf = (name: string): string[] =>
  packages.filter(([path]) => nameOf(path) === name).map(([, { version = '' }]) => version)
const installed = (name: string): string => {
  const manifest: { version: string } = JSON.parse(read(`node_modules/${name}/package.json`))
  return manifest.version
}

/** Below 0: a is older. */
const compare = (a: string, b: string): number => {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number))
  for (let at = 0; at < 3; at++) {
    const difference = (left?.[at] ?? 0) - (right?.[at] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** The first version without a hole that a remote can use before it has proved anything. */
const least: [string, string, string][] = [
  ['libp2p', '3.3.11', 'identify parsed a key before any check, CVE-2026-110789'],
  ['@libp2p/crypto', '5.1.22', 'a DER length beyond the buffer looped for ever, CVE-2026-110789'],
  ['@libp2p/gossipsub', '16.0.5', 'subscribe flood, CVE-2026-46679'],
  ['@chainsafe/libp2p-noise', '5.0.3', 'handshake signature not validated properly, CVE-2022-24759']
]

describe('version gate', () => {
  it.each(least)('%s is at least %s: %s', (name, version) => {
    const all = [installed(name), ...versionsOf(name)]
    expect(all.length).toBeGreaterThan(1)
    expect(all.filter((each) => compare(each, version) < 0)).toEqual([])
  })

  it('compares versions as numbers', () => {
    expect(compare('3.3.9', '3.3.11')).toBeLessThan(0)
    expect(compare('16.0.5', '16.0.5')).toBe(0)
    expect(compare('17.0.0', '5.0.3')).toBeGreaterThan(0)
  })

  it('SQLite is at least 3.51.3 at run time: older ones lose data when a checkpoint meets a WAL reset', () => {
    const database = new Database(':memory:')
    const version = database.prepare<[], string>('select sqlite_version()').pluck().get() ?? ''
    database.close()
    expect(compare(version, '3.51.3')).toBeGreaterThanOrEqual(0)
  })

  it('nothing is installed that has no limits, or opens another way in', () => {
    const names = packages.map(([path]) => nameOf(path))
    expect(names.filter((name) => /floodsub|webrtc|websockets|webtransport|libp2p.*quic/.test(name))).toEqual([])
    expect(names.filter((name) => name === '@chainsafe/libp2p-gossipsub')).toEqual([])
    expect(existsSync(new URL('node_modules/@chainsafe/libp2p-gossipsub', root))).toBe(false)
  })

  it('no package runs a script when it is installed, and every one is pinned by its digest', () => {
    expect(read('.npmrc').split('\n')).toContain('ignore-scripts=true')
    // Tools of other systems, which a mirror of this one's packages cannot give a digest of, are never installed here or run by anybody's node.
    const isElsewhere = ({ os = ['linux'], cpu = ['x64'], libc = ['glibc'] }: Locked): boolean =>
      !os.includes('linux') || !cpu.some((each) => each === 'x64' || each === 'arm64') || !libc.includes('glibc')
    const unpinned = packages.filter(([, { integrity, link }]) => integrity === undefined && link !== true)
    expect(unpinned.filter(([, entry]) => !(entry.dev && entry.optional && isElsewhere(entry)))).toEqual([])
  })

  it('direct dependencies are exact versions', () => {
    const manifest: Record<string, Record<string, string>> = JSON.parse(read('package.json'))
    const all = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((kind) =>
      Object.entries(manifest[kind] ?? {})
    )
    expect(all.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([])
  })
})
