import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { copyChecked, keyName } from '../../../src/install/upgrade/release-file.ts'
import { type Ran, runProgram } from '../../helpers/built-program.ts'
import { tempFolder } from '../../helpers/temp.ts'
import { attack, control } from '../attack.ts'

const name = 'trustnet-9.9.9-linux-x64.tar.gz'

const sum = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')

const minisign = (...args: string[]): void => {
  execFileSync('minisign', args, { stdio: 'pipe' })
}

/** A release whose program writes down that it ran, with its list signed by the real tool. */
class SignedRelease implements Disposable {
  readonly #folder = tempFolder()

  constructor() {
    for (const key of ['own', 'other'])
      minisign('-G', '-W', '-f', '-p', this.at(`${key}.pub`), '-s', this.at(`${key}.sec`))
    const program = this.at('made/trustnet-9.9.9-linux-x64/bin')
    mkdirSync(program, { recursive: true })
    writeFileSync(join(program, 'trustnet'), `#!/bin/sh\necho "$@" > ${this.at('ran')}\n`, { mode: 0o755 })
    execFileSync('tar', ['-czf', this.at(name), '-C', this.at('made'), 'trustnet-9.9.9-linux-x64'])
    this.list()
    this.sign('own')
  }

  at(path: string): string {
    return join(this.#folder.path, path)
  }

  list(): void {
    writeFileSync(this.at('SHA256SUMS'), `${'0'.repeat(64)}  other.tar.gz\n${sum(this.at(name))}  ${name}\n`)
  }

  sign(key: string, ...more: string[]): void {
    minisign('-S', '-m', this.at('SHA256SUMS'), '-s', this.at(`${key}.sec`), '-t', 'trustnet 9.9.9', ...more)
  }

  async upgrade(...flags: string[]): Promise<Ran & { ran: boolean }> {
    const ended = await runProgram(['upgrade', this.at(name), ...flags], {})
    return { ...ended, ran: existsSync(this.at('ran')) }
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]()
  }
}

const edit = (path: string, change: (text: string) => string): void =>
  writeFileSync(path, change(readFileSync(path, 'utf8')))

/** What somebody does who can change the place that releases are fetched from. */
const forgeries: readonly [string, (release: SignedRelease) => void, RegExp][] = [
  ['another tarball', (release) => writeFileSync(release.at(name), 'other'), /is not the file that SHA256SUMS names/],
  [
    'another tarball and list',
    (release) => {
      writeFileSync(release.at(name), 'other')
      release.list()
    },
    /does not fit: the file was changed/
  ],
  [
    'all of it, signed by another key',
    (release) => {
      release.list()
      release.sign('other')
    },
    /made with another key/
  ],
  [
    'signed by another key under the number of ours',
    (release) => {
      release.sign('other')
      const [, own = ''] = readFileSync(release.at('own.pub'), 'utf8').split('\n')
      edit(release.at('SHA256SUMS.minisig'), (text) => {
        const lines = text.split('\n')
        const bytes = Buffer.from(lines[1] ?? '', 'base64')
        Buffer.from(own, 'base64').copy(bytes, 2, 2, 10)
        return lines.with(1, bytes.toString('base64')).join('\n')
      })
    },
    /does not fit/
  ],
  ['an algorithm of before', (release) => release.sign('own', '-l'), /of another algorithm/],
  [
    'another comment',
    (release) => edit(release.at('SHA256SUMS.minisig'), (text) => text.replace('trustnet 9.9.9', 'trustnet 9.9.10')),
    /comment of the signature was changed/
  ],
  [
    'no signature',
    (release) => execFileSync('rm', [release.at('SHA256SUMS.minisig')]),
    /cannot be read: it comes with the release/
  ],
  [
    'no list',
    (release) => execFileSync('rm', [release.at('SHA256SUMS')]),
    /cannot be read: put the one that came with the release/
  ],
  [
    'a signature of rubbish',
    (release) => writeFileSync(release.at('SHA256SUMS.minisig'), 'x\n'.repeat(4)),
    /not what minisign writes/
  ],
  [
    'an endless list',
    (release) => execFileSync('truncate', ['-s', '1G', release.at('SHA256SUMS')]),
    /longer than 65536 bytes/
  ]
]

/** Times that a release is written over while it is copied. */
const rounds = 8

const isRoot = process.getuid?.() === 0

describe.skipIf(!isRoot)('a release', () => {
  control('that is signed by the key is unpacked and carried out, and without a key by a word alone', async () => {
    using release = new SignedRelease()
    const signed = await release.upgrade('--key', release.at('own.pub'), '--plan')
    expect(signed).toMatchObject({ code: 0, ran: true })
    expect(readFileSync(release.at('ran'), 'utf8')).toBe('upgrade --checked --plan\n')
    expect(signed.err).toContain('trustnet 9.9.9')
    const unknown = await release.upgrade()
    expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining('the installed program brings no key')])
    const unsigned = await release.upgrade('--unsigned')
    expect([unsigned.code, unsigned.err]).toEqual([0, expect.stringContaining('nobody has signed this release')])
  })

  attack('is written over while it is copied, behind what was read or before it', async () => {
    using release = new SignedRelease()
    const good = Buffer.alloc(32 * 2 ** 20, 'good')
    const file = release.at('race.tar.gz')
    const sha256 = createHash('sha256').update(good).digest('hex')
    const { signal } = new AbortController()
    let refused = 0
    for (let round = 0; round < rounds; round++) {
      writeFileSync(file, good)
      const to = release.at(`copy-${round}`)
      const writeOver = async (): Promise<void> => {
        await using handle = await open(file, 'r+')
        // Another place of the file each time; the copy is somewhere.
        await handle.write(Buffer.from('evil'), 0, 4, Math.floor((good.length / rounds) * round))
      }
      if (round === rounds - 1) await writeOver()
      const copied = copyChecked({ file, version: '9.9.9', sha256, comment: null }, to, signal).then(
        () => sum(to),
        () => undefined
      )
      if (round < rounds - 1) await writeOver()
      const copy = await copied
      if (copy === undefined) refused++
      else expect(copy).toBe(sha256)
    }
    expect(refused).toBeGreaterThan(0)
    return {
      happened: `${rounds} copies: ${refused} refused, and the others are what was signed`,
      held: 'the digest is taken of the bytes that are copied'
    }
  })

  attack('of somebody else takes the place of a signed one', async () => {
    const wrong: string[] = []
    for (const [what, forge, message] of forgeries) {
      using release = new SignedRelease()
      copyFileSync(release.at('own.pub'), release.at(keyName))
      forge(release)
      const { code, err, ran } = await release.upgrade('--key', release.at(keyName))
      if (code !== 2 || ran || !message.test(err)) wrong.push(`${what}: ${code} ${ran ? 'RAN' : ''} ${err}`)
    }
    expect(wrong).toEqual([])
    return {
      happened: `${forgeries.length} forgeries of tarball, list, signature and comment: none was unpacked`,
      held: 'the list is signed (minisign), the digest is taken of the very copy that is unpacked'
    }
  })
})
