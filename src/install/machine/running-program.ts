import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { versionInfo } from '../../runtime/version.ts'
import { InstallError, OperatorError } from '../errors.ts'
import { manPagePath, programFolder } from '../model/layout.ts'
import type { ProgramSource } from '../model/program.ts'
import { runCommand } from './run-command.ts'

/** Carried as packages for npm; the copy has the binary itself. */
const nodePackages = /^node-linux-(x64|arm64)$/
/** Nothing of these is read by a running program. */
const unneeded = /\.(?:[cm]?ts|map|tsbuildinfo)$/
/** Folders of a checkout that a package has not. */
const packageParts = ['dist/bin', 'dist/src', 'package.json', 'build.json', 'release.pub', 'LICENSE', 'CHANGELOG.md']

interface PackageJson {
  readonly name?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

const readPackage = (folder: string): PackageJson => {
  const found: PackageJson = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return found
}

/** The folder of this package: the first above this file that is called trustnet in its package.json. */
const packageRoot = (): string => {
  for (let at = dirname(fileURLToPath(import.meta.url)); at !== dirname(at); at = dirname(at)) {
    if (existsSync(join(at, 'package.json')) && readPackage(at).name === 'trustnet') return at
  }
  throw new InstallError('The package of the running program was not found, so it cannot be copied.')
}

/** As Node looks for it: in node_modules here and in each folder above. */
const find = (name: string, from: string): string | undefined => {
  for (let at = from; at !== dirname(at); at = dirname(at)) {
    const folder = join(at, 'node_modules', name)
    if (existsSync(join(folder, 'package.json'))) return folder
  }
  return undefined
}

/** The package and all that it needs to run. */
const withDependencies = (root: string): Set<string> => {
  const found = new Set<string>()
  const waiting = [root]
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    if (found.has(at)) continue
    found.add(at)
    const { dependencies = {}, optionalDependencies = {}, peerDependencies = {} } = readPackage(at)
    // A peer of its own is what some need, and have installed beside it.
    const own = at === root ? peerDependencies : {}
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...own })) {
      const folder = find(name, at)
      if (folder !== undefined && !nodePackages.test(name)) waiting.push(folder)
      else if (folder === undefined && name in dependencies && !(name in optionalDependencies)) {
        throw new OperatorError(`The running program lacks its dependency ${name}: reinstall it with npm.`)
      }
    }
  }
  return found
}

const launcher = `#!/bin/sh
# The program on its own Node, wherever this folder is.
here=$(dirname "$(readlink -f "$0")")
exec "$here/node" "$here/../lib/node_modules/trustnet/dist/bin/trustnet.js" "$@"
`

/** The running package with the Node that runs it and its production dependencies, in the layout of a release. */
export const runningProgram = (): ProgramSource => {
  const root = packageRoot()
  const { version } = versionInfo()
  if (existsSync(join(root, '../../../bin/node')) && existsSync(join(root, '../../../bin/trustnet'))) {
    return release(join(root, '../../..'), version)
  }
  return {
    version,
    isInstalled: false,
    carries: (name) => find(name, root) !== undefined,
    about: `the running package ${root} with Node ${process.versions.node}`,
    bytes: async () => sizeOf(realpathSync(process.execPath)) + sizeOfAll(withDependencies(root)),
    copyTo: async (folder, { signal, onFile }) => {
      const each = counting(signal, onFile)
      for (const part of withDependencies(root)) {
        await copyPackage(part, root, join(folder, 'lib/node_modules/trustnet'), each)
      }
      makeOpenFolder(join(folder, 'bin'))
      copyFileSync(realpathSync(process.execPath), join(folder, 'bin/node'), constants.COPYFILE_FICLONE)
      writeFileSync(join(folder, 'bin/trustnet'), launcher)
      for (const name of ['node', 'trustnet']) chmodSync(join(folder, 'bin', name), 0o755)
      await writeManPage(folder, signal)
    }
  }
}

/** An unpacked release is copied as it is. */
const release = (root: string, version: string): ProgramSource => ({
  version,
  about: `the release in ${root}`,
  isInstalled: dirname(root) === programFolder,
  carries: (name) => find(name, join(root, 'lib/node_modules/trustnet')) !== undefined,
  bytes: async () => sizeOf(root),
  copyTo: async (folder, { signal, onFile }) => await copyTree(root, folder, () => true, counting(signal, onFile))
})

/** Gives what is called before each file: it counts, and throws when the signal has fired. */
const counting = (signal: AbortSignal, onFile?: (files: number) => void): (() => void) => {
  let files = 0
  return () => {
    signal.throwIfAborted()
    onFile?.(++files)
  }
}

/** The page is what the copy itself says about its commands. */
const writeManPage = async (folder: string, signal: AbortSignal): Promise<void> => {
  const { code, out, err } = await runCommand([join(folder, 'bin/trustnet'), 'man'], { signal })
  if (code !== 0) throw new InstallError(`The copy of the program in ${folder} does not run: ${err.trim()}`)
  const page = join(folder, manPagePath)
  makeOpenFolder(dirname(page))
  writeFileSync(page, out)
  chmodSync(page, 0o644)
}

const copyPackage = async (part: string, root: string, target: string, onFile: () => void): Promise<void> => {
  // Where it lies from the package, so that Node finds it there in the same way.
  const to = join(target, relative(root, part))
  if (part !== root)
    return await copyTree(part, to, (path) => basename(path) !== 'node_modules' && !unneeded.test(path), onFile)
  for (const name of packageParts) {
    if (existsSync(join(root, name)))
      await copyTree(join(root, name), join(to, name), (path) => !unneeded.test(path), onFile)
  }
}

/** Makes a folder, and those above it that are missing, for everybody to enter, whatever the umask of whoever installs. */
const makeOpenFolder = (path: string): void => {
  if (existsSync(path)) return
  makeOpenFolder(dirname(path))
  mkdirSync(path)
  chmodSync(path, 0o755)
}

/** Copies a file or a folder for everybody to read. Links are followed. */
const copyTree = async (
  from: string,
  to: string,
  wanted: (path: string) => boolean,
  onFile: () => void
): Promise<void> => {
  const found = statSync(from)
  if (found.isFile()) {
    onFile()
    copyFileSync(from, to, constants.COPYFILE_FICLONE)
    chmodSync(to, (found.mode & 0o100) === 0 ? 0o644 : 0o755)
  }
  if (!found.isDirectory()) return
  // Thousands of small files: one call of the system after the other is many times quicker than each in a thread. Signals are heard in between.
  await turn()
  makeOpenFolder(to)
  for (const name of readdirSync(from)) {
    if (wanted(join(from, name))) await copyTree(join(from, name), join(to, name), wanted, onFile)
  }
}

const sizeOf = (path: string): number => {
  const found = statSync(path)
  if (!found.isDirectory()) return found.size
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0)
}

const sizeOfAll = (folders: ReadonlySet<string>): number => {
  let sum = 0
  for (const folder of folders) {
    const names = readdirSync(folder).filter((name) => name !== 'node_modules' && name !== '.git')
    for (const name of names) sum += sizeOf(join(folder, name))
  }
  return sum
}
