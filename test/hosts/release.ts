import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The tarball of `npm run release` for this machine, unpacked. File roots that are made later see it. */
export class Release implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'trustnet-release-'))
  /** `bin/trustnet`, on the Node that it brings. */
  readonly command: string

  constructor() {
    const made = join(this.#folder, 'made')
    execFileSync(process.execPath, ['scripts/release.mjs', '--arch', process.arch, '--out', made], { stdio: 'pipe' })
    const tarball = readdirSync(made).find((name) => name.endsWith('.tar.gz')) ?? ''
    execFileSync('tar', ['-xzf', join(made, tarball), '-C', this.#folder])
    chmodSync(this.#folder, 0o755)
    this.command = join(this.#folder, tarball.replace('.tar.gz', ''), 'bin/trustnet')
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
