// The program as it is shipped, in one folder: dist, the locked production dependencies, and what it was built from.
// node scripts/stage.mjs FOLDER, after `npm run build`. In an image there is no git: TRUSTNET_COMMIT says the commit.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const sources = ['package.json', 'package-lock.json', '.npmrc']
const shipped = ['dist/bin', 'dist/src', 'LICENSE', 'CHANGELOG.md']
/** Sources of SQLite and of its binding: the prebuilt binding is what runs. */
const unneeded = ['deps', 'src', 'binding.gyp']

export const buildInfo = () => {
  const epoch = process.env.SOURCE_DATE_EPOCH
  const time = epoch === undefined ? new Date() : new Date(Number(epoch) * 1000)
  return { commit: process.env.TRUSTNET_COMMIT || commit(), builtAt: time.toISOString().replace(/\.\d+Z$/, 'Z') }
}

const git = (...args) => execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()

/** null: this is no checkout. A changed tree is no commit, and says so. */
const commit = () => {
  try {
    return git('rev-parse', 'HEAD') + (git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '-dirty')
  } catch {
    return null
  }
}

export const stage = (folder, info) => {
  if (!existsSync('dist/bin/trustnet.js')) throw new Error('dist is missing: npm run build')
  mkdirSync(folder, { recursive: true })
  for (const name of sources) cpSync(name, join(folder, name))
  carryPeers(folder)
  const install = [
    'ci',
    '--prefer-offline',
    '--omit=dev',
    '--omit=optional',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund'
  ]
  execFileSync('npm', install, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  for (const name of shipped) cpSync(name, join(folder, name), { recursive: true })
  writeFileSync(join(folder, 'build.json'), `${JSON.stringify(info)}\n`)
  const sqlite = join(folder, 'node_modules/better-sqlite3')
  for (const name of unneeded) rmSync(join(sqlite, name), { recursive: true, force: true })
  keepPrebuilds(sqlite, (name) => name.startsWith('linux'))
}

/** Makes what is a peer for whoever installs by npm a dependency of what is shipped, of the locked version. */
const carryPeers = (folder) => {
  const [file, lockFile] = ['package.json', 'package-lock.json'].map((name) => join(folder, name))
  const [own, lock] = [file, lockFile].map((each) => JSON.parse(readFileSync(each, 'utf8')))
  const names = new Set(Object.keys(own.peerDependencies))
  for (const each of [own, lock.packages['']]) {
    for (const name of names) {
      each.dependencies[name] = each.devDependencies[name]
      delete each.devDependencies[name]
    }
    delete each.peerDependencies
    delete each.peerDependenciesMeta
  }
  for (const name of names) {
    const entry = lock.packages[`node_modules/${name}`]
    delete entry.dev
    for (const each of Object.keys(entry.dependencies ?? {})) names.add(each)
  }
  writeFileSync(file, JSON.stringify(own))
  writeFileSync(lockFile, JSON.stringify(lock))
}

export const keepPrebuilds = (sqlite, wanted) => {
  const folder = join(sqlite, 'prebuilds')
  for (const name of readdirSync(folder)) if (!wanted(name)) rmSync(join(folder, name))
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2)
  if (folder === undefined) throw new Error('name the folder')
  stage(folder, buildInfo())
}
