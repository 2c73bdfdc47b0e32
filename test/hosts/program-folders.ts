import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runningProgram } from '../../src/install/machine/running-program.ts'
import type { FileRoot } from './file-root.ts'

const packageFile = 'lib/node_modules/trustnet/package.json'

/** Replaces a file that other names may lead to as well. */
const rewrite = (path: string, edit: (text: string) => string, mode = 0o644): void => {
  const text = edit(readFileSync(path, 'utf8'))
  rmSync(path)
  writeFileSync(path, text, { mode })
}

/** Programs as they are unpacked from a release, in /root of a file root that has no Node of its own. */
export class ProgramFolders {
  readonly #root: FileRoot
  readonly #first: string

  private constructor(root: FileRoot, first: string) {
    this.#root = root
    this.#first = first
  }

  /** The program that is tested. */
  static async in(root: FileRoot): Promise<ProgramFolders> {
    const folders = new ProgramFolders(root, runningProgram().version)
    await runningProgram().copyTo(folders.#outside(folders.#first), { signal: new AbortController().signal })
    return folders
  }

  get version(): string {
    return this.#first
  }

  /** The command of that version, as it is called inside. */
  command(version = this.#first): string {
    return `/root/trustnet-${version}/bin/trustnet`
  }

  /** The same program under another version; `broken`: what it runs as a service ends at once. */
  make(version: string, { broken = false } = {}): string {
    const folder = this.#outside(version)
    execFileSync('cp', ['-al', this.#outside(this.#first), folder])
    rewrite(join(folder, packageFile), (text) => JSON.stringify({ ...JSON.parse(text), version }))
    const end = 'if [ "$1 $2" = "node start" ]; then echo "broken on purpose" >&2; exit 1; fi\n'
    if (broken) rewrite(join(folder, 'bin/trustnet'), (text) => text.replace('exec ', `${end}exec `), 0o755)
    return this.command(version)
  }

  #outside(version: string): string {
    return join(this.#root.path, 'root', `trustnet-${version}`)
  }
}
