// One tarball per architecture with its own Node and the locked production dependencies, checksums, and an SBOM.
// npm run release -- [--arch x64|arm64 …] [--out FOLDER] [--sign SECRET_KEY --key PUBLIC_KEY], the keys of minisign(1), which asks for its passphrase.
// With --sign the public key is shipped, and the next releases have to be signed with it.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { buildInfo, keepPrebuilds, stage } from './stage.mjs'

const { values } = parseArgs({
  options: {
    arch: { type: 'string', multiple: true, default: ['x64', 'arm64'] },
    out: { type: 'string', default: 'release' },
    sign: { type: 'string' },
    key: { type: 'string' }
  }
})
if ((values.sign === undefined) !== (values.key === undefined)) throw new Error('--sign and --key go together')
const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'))
const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
const info = buildInfo()
const out = resolve(values.out)
const work = mkdtempSync(join(tmpdir(), 'trustnet-release-'))

const run = (command, args, options = {}) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], ...options })

/** The Node of an architecture, from the package that the lock file names, held to its digest. */
const nodeBinary = (arch) => {
  const name = `node-linux-${arch}`
  const { version: wanted, integrity } = lock.packages[`node_modules/${name}`]
  const [{ filename }] = JSON.parse(
    run('npm', ['pack', `${name}@${wanted}`, '--prefer-offline', '--json', '--pack-destination', work], { cwd: work })
  )
  const bytes = readFileSync(join(work, filename))
  const digest = `sha512-${createHash('sha512').update(bytes).digest('base64')}`
  if (integrity === undefined || digest !== integrity)
    throw new Error(`${name}@${wanted} is ${digest}, the lock file says ${integrity}`)
  const folder = join(work, name)
  mkdirSync(folder)
  run('tar', ['-xzf', join(work, filename), '-C', folder, 'package/bin/node', 'package/LICENSE'])
  return join(folder, 'package')
}

/** The list of sums, by the maintainer's own tool: this program never sees the secret key. */
const sign = (secretKey) => {
  const list = join(out, 'SHA256SUMS')
  const comment = `trustnet ${version}, ${info.builtAt}, commit ${info.commit}`
  const args = ['-S', '-m', list, '-s', secretKey, '-t', comment]
  execFileSync('minisign', args, { stdio: ['inherit', 'ignore', 'inherit'] })
  execFileSync('minisign', ['-V', '-q', '-m', list, '-p', values.key], { stdio: 'inherit' })
  return ['SHA256SUMS.minisig']
}

const tarball = async (arch, copyTo) => {
  const name = `trustnet-${version}-linux-${arch}`
  const folder = join(work, name)
  await copyTo(folder, { signal: new AbortController().signal })
  const node = nodeBinary(arch)
  cpSync(join(node, 'bin/node'), join(folder, 'bin/node'))
  chmodSync(join(folder, 'bin/node'), 0o755)
  cpSync(join(node, 'LICENSE'), join(folder, 'LICENSE.node'))
  keepPrebuilds(
    join(folder, 'lib/node_modules/trustnet/node_modules/better-sqlite3'),
    (file) => file === `linux-${arch}.node`
  )
  const same = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', `--mtime=${info.builtAt}`]
  const file = `${name}.tar.gz`
  run('tar', [...same, '--use-compress-program=gzip -n', '-cf', join(out, file), '-C', work, name])
  return file
}

/** Pages, messages and vectors for other implementations. */
function kit() {
  const file = `trustnet-${version}.kit.tgz`
  const protos = globSync('src/**/*.proto').toSorted((a, b) => (a < b ? -1 : 1))
  const same = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', `--mtime=${info.builtAt}`]
  const parts = ['docs/protocols', 'test/fixtures/vectors', ...protos]
  run('tar', [...same, '--use-compress-program=gzip -n', '-cf', join(out, file), ...parts])
  return file
}

try {
  mkdirSync(out, { recursive: true })
  const staged = join(work, 'stage')
  stage(staged, info)
  if (values.key !== undefined) cpSync(values.key, join(staged, 'release.pub'))
  const { runningProgram } = await import(
    pathToFileURL(join(staged, 'dist/src/install/machine/running-program.js')).href
  )
  const files = []
  for (const arch of values.arch) files.push(await tarball(arch, (...args) => runningProgram().copyTo(...args)))
  const sbom = `trustnet-${version}.sbom.cdx.json`
  writeFileSync(
    join(out, sbom),
    run('npm', ['sbom', '--package-lock-only', '--omit=dev', '--sbom-format=cyclonedx'], { cwd: staged })
  )
  files.push(kit())
  const sums = [...files, sbom].map(
    (file) =>
      `${createHash('sha256')
        .update(readFileSync(join(out, file)))
        .digest('hex')}  ${file}\n`
  )
  writeFileSync(join(out, 'SHA256SUMS'), sums.join(''))
  const signed = values.sign === undefined ? [] : sign(values.sign)
  process.stdout.write(`${[...files, sbom, 'SHA256SUMS', ...signed].map((file) => join(out, file)).join('\n')}\n`)
} finally {
  rmSync(work, { recursive: true, force: true })
}
