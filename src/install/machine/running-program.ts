import { constants, existsSync, readFileSync } from 'node:fs'
import { chmod, copyFile, cp, readdir, realpath, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeFolder } from '../../runtime/make-folder.ts'
import { versionInfo } from '../../runtime/version.ts'
import { InstallError, OperatorError } from '../errors.ts'
import { manPagePath, programFolder } from '../model/layout.ts'
import type { ProgramSource } from '../model/program.ts'
import { runCommand } from './run-command.ts'

/** Carried as packages for npm; the copy has the binary itself. */
const nodePackages = /^node-linux-(x64|arm64)$/
/** Nothing of these is read by a running program. */
const unneeded = /(\.d\.[cm]?ts|\.map|\.tsbuildinfo)$/
/** Folders of a checkout that a package has not. */
const packageParts = ['dist/bin', 'dist/src', 'package.json', 'build.json', 'release.pub', 'LICENSE', 'CHANGELOG.md']

interface PackageJson {
  readonly name?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
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
    const { dependencies = {}, optionalDependencies = {} } = readPackage(at)
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const folder = find(name, at)
      if (folder !== undefined && !nodePackages.test(name)) waiting.push(folder)
      else if (folder === undefined && !(name in optionalDependencies)) {
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
    about: `the running package ${root} with Node ${process.versions.node}`,
    bytes: async () => (await sizeOf(await realpath(process.execPath))) + (await sizeOfAll(withDependencies(root))),
    copyTo: async (folder, { signal, onFile }) => {
      let files = 0
      const counted = (): void => onFile?.(++files)
      for (const part of withDependencies(root)) {
        signal.throwIfAborted()
        await copyPackage(part, root, join(folder, 'lib/node_modules/trustnet'), counted)
      }
      makeFolder(join(folder, 'bin'), 0o777)
      await copyFile(await realpath(process.execPath), join(folder, 'bin/node'), constants.COPYFILE_FICLONE)
      await writeFile(join(folder, 'bin/trustnet'), launcher)
      await openUp(folder)
      for (const name of ['node', 'trustnet']) await chmod(join(folder, 'bin', name), 0o755)
      await writeManPage(folder, signal)
    }
  }
}

/** An unpacked release is copied as it is. */
const release = (root: string, version: string): ProgramSource => ({
  version,
  about: `the release in ${root}`,
  isInstalled: dirname(root) === programFolder,
  bytes: async () => await sizeOf(root),
  copyTo: async (folder, { signal, onFile }) => {
    let files = 0
    await copyTree(
      root,
      folder,
      () => true,
      () => {
        signal.throwIfAborted()
        onFile?.(++files)
      }
    )
    await openUp(folder)
  }
})

/** The page is what the copy itself says about its commands. */
const writeManPage = async (folder: string, signal: AbortSignal): Promise<void> => {
  const { code, out, err } = await runCommand([join(folder, 'bin/trustnet'), 'man'], { signal })
  if (code !== 0) throw new InstallError(`The copy of the program in ${folder} does not run: ${err.trim()}`)
  makeFolder(join(folder, dirname(manPagePath)), 0o777)
  await writeFile(join(folder, manPagePath), out)
  await openUp(join(folder, 'share'))
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

const copyTree = async (
  from: string,
  to: string,
  wanted: (path: string) => boolean,
  onFile: () => void
): Promise<void> =>
  await cp(from, to, {
    recursive: true,
    dereference: true,
    mode: constants.COPYFILE_FICLONE,
    filter: (path) => {
      if (!wanted(path)) return false
      onFile()
      return true
    }
  })

/** Everybody may run it, whatever the umask of whoever installs. */
const openUp = async (folder: string): Promise<void> => {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await openUp(path)
    else if (entry.isFile()) await chmod(path, ((await stat(path)).mode & 0o100) === 0 ? 0o644 : 0o755)
  }
}

const sizeOf = async (path: string): Promise<number> => {
  const found = await stat(path)
  if (!found.isDirectory()) return found.size
  const sizes = await Promise.all((await readdir(path)).map((name) => sizeOf(join(path, name))))
  return sizes.reduce((sum, size) => sum + size, 0)
}

const sizeOfAll = async (folders: ReadonlySet<string>): Promise<number> => {
  let sum = 0
  for (const folder of folders) {
    const names = (await readdir(folder)).filter((name) => name !== 'node_modules' && name !== '.git')
    for (const name of names) sum += await sizeOf(join(folder, name))
  }
  return sum
}
