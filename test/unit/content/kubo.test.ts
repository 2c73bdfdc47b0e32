import { execFileSync } from 'node:child_process'
import { createCipheriv } from 'node:crypto'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FileTree, type ImportSettings, partOf, standardSettings } from '../../../src/content/file-tree.ts'
import { folderTree } from '../../../src/content/folder-tree.ts'
import { importFolder } from '../../../src/content/import-folder.ts'
import { linkText } from '../../../src/content/link.ts'
import { nodeBlock, type Part, rawBlock } from '../../../src/content/node.ts'
import { sha256 } from '../../../src/identity/hash.ts'
import { memoryFolder } from '../../helpers/temp.ts'

// CIDs that kubo recorded in its own tests: test/sharness/t0040-add-and-cat.sh, t0260-sharding.sh, test/cli/cid_profiles_test.go.

const put = async (): Promise<void> => {}

async function cidOf(folder: string, modes: 'ignore' | 'keep' = 'ignore'): Promise<string> {
  const { signal } = new AbortController()
  return linkText((await importFolder({ folder, put, symlinks: 'keep', modes, signal })).root)
}

/** Bytes of kubo's tests: the key stream of ChaCha20 under the hash of a text. */
function stream(seed: string): (bytes: number) => Uint8Array {
  const cipher = createCipheriv('chacha20', sha256(Buffer.from(seed)), new Uint8Array(16))
  return (bytes) => cipher.update(new Uint8Array(bytes))
}

async function fileCid(seed: string, size: number, { chunkBytes, fileLinks }: ImportSettings): Promise<string> {
  const next = stream(seed)
  const tree = new FileTree(fileLinks, put)
  for (let at = 0; at < size || at === 0; at += chunkBytes) {
    const leaf = rawBlock(next(Math.min(chunkBytes, size - at)))
    await tree.add(leaf, leaf.bytes.length)
  }
  return linkText(await tree.finish())
}

/** Its profile unixfs-v1-2025. */
const newer: ImportSettings = {
  chunkBytes: 1_048_576,
  fileLinks: 1024,
  isLarge: (parts) => 4 + parts.reduce((sum, part) => sum + linkBytes(part), 0) > 262_144
}
// Tag and length of each field, and of the link; names and trees are short here.
const linkBytes = ({ name }: Part): number => 2 + 38 + 2 + name.length + 2

const alphabet = 'abcdefghijklmnopqrstuvwxyz01234567890-_'
/** Files of one byte with names of 11 characters, and a last one of another length. */
function namedParts(seed: string, files: number, last: number): Part[] {
  const next = stream(seed)
  const block = rawBlock(Buffer.from('x'))
  return Array.from({ length: files }, (_, i) => {
    const characters = Array.from(next(i === files - 1 ? last : 11), (byte) => alphabet[byte % alphabet.length])
    return partOf(block, characters.join(''))
  })
}

describe('CIDs are those of kubo', () => {
  it('of a text, of nothing, and of an empty folder', async () => {
    using folder = memoryFolder()
    expect(linkText(rawBlock(Buffer.from('hello world')))).toBe(
      'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'
    )
    expect(await fileCid('', 0, standardSettings)).toBe('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku')
    expect(await cidOf(folder.path)).toBe('bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354')
  })

  it('of a folder with two files, with the standard settings', async () => {
    using folder = memoryFolder()
    writeFileSync(join(folder.path, 'venus.txt'), 'Hello Venus!\n')
    writeFileSync(join(folder.path, 'mars.txt'), 'Hello Mars!\n')
    expect(await cidOf(folder.path)).toBe('bafybeih7e5dmkyk25up5vxug4q3hrg2fxbzf23dfrac2fns5h7z4aa7ioi')
  })

  it('of a folder that is spread over several blocks', async () => {
    const files = Array.from({ length: 2000 }, (_, i) => partOf(rawBlock(Buffer.from(`${i + 1}\n`)), `file${i + 1}`))
    expect(linkText(await folderTree(files, true, put))).toBe(
      'bafybeibiemewfzzdyhq2l74wrd6qj2oz42usjlktgnlqv4yfawgouaqn4u'
    )
  })

  it('of a file with as many bytes as a block has, and one more', async () => {
    expect(await fileCid('chunk-v1-seed', 1_048_576, newer)).toBe(
      'bafkreiacndfy443ter6qr2tmbbdhadvxxheowwf75s6zehscklu6ezxmta'
    )
    expect(await fileCid('chunk-v1-seed', 1_048_577, newer)).toBe(
      'bafybeigmix7t42i6jacydtquhet7srwvgpizfg7gjbq7627d35mjomtu64'
    )
  })

  it.each([
    ['at the size', 21, 'bafybeic3h7rwruealwxkacabdy45jivq2crwz6bufb5ljwupn36gicplx4'],
    ['beyond it', 22, 'bafybeiegvuterwurhdtkikfhbxcldohmxp566vpjdofhzmnhv6o4freidu']
  ])('of a folder %s from which on it is spread', async (_, last, cid) => {
    const files = namedParts('hamt-unixfs-v1-2025', 4766, last)
    expect(linkText(await folderTree(files, newer.isLarge(files), put))).toBe(cid)
  })
})

/**
 * CIDs that boxo 0.40.0 gave, the Go library with which kubo 0.42.0 adds: chunks of 262,144 bytes, raw leaves, a balanced tree of 174
 * links, CIDs of version 1, and its standard settings for folders.
 */
describe('CIDs are those of the library of kubo with the same settings', () => {
  it.each([
    [0, 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'],
    [1, 'bafkreidoh6xr4j6ul7fhai2k5d3pbjzumiwp7ctovaslp5qnh75puksgkq'],
    [262_143, 'bafkreifpn5afpm5qpkynmqmm5bw6jzwqcyz5afxqbs6ixmyc6qa3pzfuva'],
    [262_144, 'bafkreiedcombdteodhws6vmypgkeectqzmrwbdp6bw3kbnsyc3zuonq6hu'],
    [262_145, 'bafybeihypzno3vozibl6xfdcpfz2kxqlm2emqmwowl3yyjo75sinj25cwa'],
    [174 * 262_144, 'bafybeia3oiekkz7lshwkjxx73lzodvd6drybxiqxpydynmcfp2cd2zouea'],
    [174 * 262_144 + 1, 'bafybeids4dd3uucuitinjdd2a3zigdlj7cuphrxblb2lgimss373t6keki']
  ])('of a file of %i bytes', async (size, cid) => {
    expect(await fileCid('sizes', size, standardSettings)).toBe(cid)
  })

  it('of names in other scripts, folders inside of each other and an empty file', async () => {
    using folder = memoryFolder()
    const files = {
      'ü/é/名前.txt': 'a',
      '😀.txt': 'b',
      '\uffee.txt': 'c',
      Z: 'd',
      'a b': 'e',
      'x/y/z/w': 'f',
      none: ''
    }
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder.path, name)), { recursive: true })
      writeFileSync(join(folder.path, name), text)
    }
    expect(await cidOf(folder.path)).toBe('bafybeidn2t3u46gticlcmt236xfvwp23yk7etzimyga6xapbcgfyzdm5ve')
  })

  const file = (name: string, text: string): Part => partOf(rawBlock(Buffer.from(text)), name)
  const files = Array.from({ length: 4096 }, (_, i) => file(String(i).padStart(28, 'n'), String(i)))
  const folders = Array.from({ length: 5000 }, (_, i) => {
    const block = nodeBlock({ type: 'folder', parts: [file('f', String(i % 7))] })
    return partOf(block, String(i).padStart(28, 'd'))
  })

  it.each([
    ['of files at the size', files, 'bafybeiaazehykdadaf2zxhfbl2owbn4fgxin2w3nervleaie6poq5skzjm'],
    [
      'of files beyond it',
      [...files.slice(1), file('n'.repeat(29), 'q')],
      'bafybeicj6ehreiyxq5hvmthonpnkxobp2bzvci4dielmc4akdbbaazrlwi'
    ],
    ['of folders beyond it', folders, 'bafybeigued6gnbanotoqloy7rqktdfkpz6u6k43lzadyq4dco5opel6t6a']
  ])('of a folder %s from which on it is spread', async (_, parts, cid) => {
    expect(linkText(await folderTree(parts, standardSettings.isLarge(parts), put))).toBe(cid)
  })
})

/** Writes a file with a mode, whatever the mask of the process is. */
function writeAs(mode: number, folder: string, name: string, content: string | Uint8Array): void {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  for (let at = dirname(path); at.length >= folder.length; at = dirname(at)) chmodSync(at, 0o755)
  writeFileSync(path, content)
  chmodSync(path, mode)
}

function writePrograms(folder: string): void {
  writeAs(0o755, folder, 'bin/run', '#!/bin/sh\n')
  writeAs(0o644, folder, 'a.txt', 'hi\n')
  writeAs(0o755, folder, 'big', new Uint8Array(600_000))
  symlinkSync('a.txt', join(folder, 'link'))
}

function writeSizes(folder: string): void {
  writeAs(0o644, folder, 'empty', '')
  writeAs(0o644, folder, 'chunk', new Uint8Array(262_144))
  mkdirSync(join(folder, 'e'), { mode: 0o755 })
  for (let number = 0; number < 6000; number++) writeAs(0o644, folder, `s/file-with-a-long-name-${number}`, 'x')
}

/** CIDs that kubo 0.43.1 gave, built from the Go module proxy: `ipfs add -Q --cid-version 1 -r -H`, for modes with `--preserve-mode`. */
describe('CIDs are those of kubo where modes are kept', () => {
  it.each([
    ['keep', 'bafybeiho72it6adyocncidvgnqbxa7hyyhr7ljdivizygvgbsg7syd5ve4'],
    ['ignore', 'bafybeief4nu57gxw6bmz6xs5nvjdza4okz7rqkopcfemf3zxhkphrfktzy']
  ] as const)('of programs, a file of several blocks and a link, with modes: %s', async (modes, cid) => {
    using folder = memoryFolder()
    writePrograms(folder.path)
    expect(await cidOf(folder.path, modes)).toBe(cid)
  })

  it('of an empty file, a full block, an empty folder and one that is spread over several blocks', async () => {
    using folder = memoryFolder()
    writeSizes(folder.path)
    expect(await cidOf(folder.path, 'keep')).toBe('bafybeicdqcej3wkg6yt4r3uya2s5ukeqf7moawickkpkdqyadhisrjq4sq')
  })
})

/**
 * A kubo of this machine (`TRUSTNET_KUBO=/path/to/ipfs`, IPFS_PATH made by `ipfs init`) is asked for the same folders. It builds with
 * `go build github.com/ipfs/kubo/cmd/ipfs` in a module of its own; version 0.43.1 needs `replace` lines for webtransport-go v0.11.1 and
 * quic-go v0.60.0.
 */
const { TRUSTNET_KUBO: kubo } = process.env

describe.skipIf(kubo === undefined)('CIDs are those of a real kubo', () => {
  const ofKubo = (folder: string, ...options: string[]): string => {
    const args = ['add', '-Q', '--cid-version', '1', '-r', '-H', ...options, folder]
    return execFileSync(kubo ?? '', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  }

  it.each([0, 1, 2, 3])('of folders with files of many sizes and names, seed %i', async (seed) => {
    using folder = memoryFolder()
    const next = stream(`kubo-${seed}`)
    const byte = (): number => next(1)[0] ?? 0
    if (seed === 0) writePrograms(folder.path)
    if (seed === 1) writeSizes(folder.path)
    for (let number = 0; number < 40; number++) {
      const depth = Array.from({ length: byte() % 4 }, () => `d${byte() % 3}`).join('/')
      const name = `${depth === '' ? '' : `${depth}/`}${String.fromCodePoint(0x100 + byte())}${number}`
      const size = [0, 1, 1_000, 262_143, 262_144, 262_145, 600_000][byte() % 7] ?? 0
      writeAs(byte() % 2 === 0 ? 0o644 : 0o755, folder.path, name, next(size))
    }
    writeAs(0o755, folder.path, 'large', next(175 * 262_144 + 1))
    expect(await cidOf(folder.path)).toBe(ofKubo(folder.path))
    expect(await cidOf(folder.path, 'keep')).toBe(ofKubo(folder.path, '--preserve-mode'))
  })
})
