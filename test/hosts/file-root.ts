import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/** The checkout is seen through a bind of its own: an overlay must not notice that files below it change. */
const checkout = resolve('.')

const enter = `
for place in proc sys dev; do mount --rbind "/$place" "$1/$place"; done
mount --bind /etc/resolv.conf "$1/etc/resolv.conf"
mkdir -p "$1$2" && mount --bind "$2" "$1$2"
root=$1; shift 2
exec chroot "$root" "$@"`

/** Paths that an install makes. Inside, a machine begins without it, whatever this one has or gets meanwhile. */
const installed = ['etc/trustnet', 'opt/trustnet', 'var/lib/trustnet', 'var/lib/trustnet-install']

/** This machine's file system with its own changes: what is written inside is seen nowhere else. */
export class FileRoot implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'trustnet-root-'))
  readonly path = join(this.#folder, 'root')

  constructor() {
    const [upper, work] = ['upper', 'work'].map((name) => join(this.#folder, name))
    for (const folder of [upper, work, this.path]) mkdirSync(String(folder))
    for (const path of installed) {
      mkdirSync(join(String(upper), dirname(path)), { recursive: true })
      // An entry that an overlay shows as none.
      execFileSync('mknod', [join(String(upper), path), 'c', '0', '0'], { stdio: 'pipe' })
    }
    const options = `lowerdir=/,upperdir=${upper},workdir=${work}`
    execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, this.path], { stdio: 'pipe' })
  }

  /** The command as it has to be given to a host's `start` or `run`. */
  inside(...command: string[]): string[] {
    const shell = ['sh', '-ec', enter, 'enter', this.path, checkout, ...command]
    return ['unshare', '--mount', '--propagation', 'private', ...shell]
  }

  /** A machine on which no Node is: what runs inside brings its own. */
  removeNode(): void {
    for (const name of ['node', 'nodejs', 'npm', 'npx']) {
      for (const folder of ['usr/bin', 'usr/local/bin']) rmSync(join(this.path, folder, name), { force: true })
    }
  }

  [Symbol.dispose](): void {
    execFileSync('umount', ['--lazy', this.path], { stdio: 'pipe' })
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Why roots cannot be made here; undefined: they can. */
export const whyNoFileRoots = (): string | undefined => {
  try {
    using _ = new FileRoot()
    return undefined
  } catch (error) {
    return `needs overlay mounts: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`
  }
}
