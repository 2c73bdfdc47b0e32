import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { answering } from '../../../src/node/program/requests.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { TestNetwork } from '../../helpers/network.ts'
import { tempFolder } from '../../helpers/temp.ts'
import { unexported } from './declarations.ts'

const manifest = z
  .object({
    name: z.string(),
    bin: z.record(z.string(), z.string()),
    exports: z.record(z.string(), z.object({ types: z.string(), default: z.string() })),
    dependencies: z.record(z.string(), z.string())
  })
  .parse(JSON.parse(readFileSync('package.json', 'utf8')))

const packFolder = tempFolder()
afterAll(() => packFolder[Symbol.dispose]())

/** The tarball that `npm pack` makes, and the files in it. */
const pack = (): Packed => (packed ??= packNow())

let packed: Packed | undefined

interface Packed {
  readonly tarball: string
  readonly files: ReadonlySet<string>
}

const packNow = (): Packed => {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', packFolder.path]
  const report = z
    .array(z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) }))
    .parse(JSON.parse(execFileSync('npm', args, { encoding: 'utf8' })))
  const [{ filename, files } = { filename: '', files: [] }] = report
  return { tarball: join(packFolder.path, filename), files: new Set(files.map(({ path }) => path)) }
}

/** An empty project beside which the tarball was installed: its dependencies are those that are here. */
const projectWith = (tarball: string): string => {
  const project = join(packFolder.path, 'project')
  const modules = join(project, 'node_modules')
  mkdirSync(join(modules, 'trustnet'), { recursive: true })
  execFileSync('tar', ['xzf', tarball, '-C', join(modules, 'trustnet'), '--strip-components=1'])
  for (const name of readdirSync('node_modules').filter((each) => each !== 'trustnet' && !each.startsWith('.')))
    symlinkSync(resolve('node_modules', name), join(modules, name))
  const compilerOptions = {
    target: 'esnext',
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    types: ['node'],
    noEmit: true
  }
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'project', type: 'module' }))
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }))
  return project
}

const snippetOf = (page: string): string =>
  /```ts\n(import[^`]*'trustnet'[\s\S]*?)```/.exec(readFileSync(page, 'utf8'))?.[1] ?? ''

/** Every declaration that a program sees that imports `entry`, and the packages that these name. */
function reachable(entry: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>()
  const packages = new Set<string>()
  const queue = [normalize(entry)]
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (files.has(file)) continue
    files.add(file)
    for (const [, from = ''] of readFileSync(file, 'utf8').matchAll(/(?:from |import\()['"]([^'"]+)['"]/g)) {
      if (from.startsWith('.')) queue.push(join(dirname(file), from.replace(/\.[jt]s$/, '.d.ts')))
      else if (!from.startsWith('node:')) packages.add(from.match(/^(?:@[^/]+\/)?[^/]+/)?.[0] ?? from)
    }
  }
  return { files, packages }
}

const hasTypes = (name: string): boolean => {
  const folder = join('node_modules', name)
  const own = readFileSync(join(folder, 'package.json'), 'utf8')
  return own.includes('"types"') || existsSync(join(folder, 'index.d.ts'))
}

describe('the package', () => {
  it('holds the program, the library with its types, the messages, the vectors and the pages', () => {
    const { files } = pack()
    const due = [
      ...Object.values(manifest.bin),
      ...Object.values(manifest.exports).flatMap((entry) => [entry.types, entry.default].map(normalize)),
      ...globSync('src/**/*.proto'),
      ...globSync('test/fixtures/vectors/*.json'),
      ...globSync('docs/**/*.md')
    ]
    expect(due.filter((path) => !files.has(path))).toEqual([])
    expect([...files].filter((path) => /\.(key|db)$|^dist\/(test|bench)|node_modules/.test(path))).toEqual([])
  })

  it.each(Object.entries(manifest.exports))('brings along all that the types of %s name', (_path, { types }) => {
    const { files, packages } = reachable(types)
    expect(files.size).toBeGreaterThan(5)
    const named = [...packages].map((name) => (hasTypes(name) ? name : `@types/${name.replace(/^@(.+)\//, '$1__')}`))
    expect([...packages, ...named].filter((name) => manifest.dependencies[name] === undefined)).toEqual([])
  })

  it('exports every type that its declarations name', () => {
    // Helpers that expand to what they stand for, and parts of a node that a program is not given.
    const hidden = ['Body', 'ConnectionTrust', 'Host', 'Node', 'Registry', 'Routes', 'Stamp', 'Values']
    const node = 'dist/src/node/node-interface.d.ts#Node'
    expect(unexported('dist/src/index.d.ts', [node])).toEqual(hidden)
    expect(unexported('dist/src/node/forward/forwards.d.ts', [])).toContain('ExposedService')
  })

  it('works in an empty strict project as the README has it, word for word', async () => {
    const project = projectWith(pack().tarball)
    writeFileSync(join(project, 'main.ts'), snippetOf('README.md'))
    const tsc = resolve('node_modules/typescript/bin/tsc')
    const compiled = spawnSync(process.execPath, [tsc, '-p', project], { encoding: 'utf8' })
    expect({ status: compiled.status, out: compiled.stdout }).toEqual({ status: 0, out: '' })
    await using network = await TestNetwork.create({ 'admission.policy': 'invite' })
    const other = network.make('other-machine', { 'bootstrap.peers': [network.address('root')] })
    other.invites.use(await network.invite({ role: 'integrated' }))
    await other.handle(
      '/my-program/1.0.0',
      answering((request, member) => `${member.name} sent ${request.length} bytes`)
    )
    await other.start()
    await other.joined({ signal: AbortSignal.timeout(ceilingMs) })
    writeFileSync(join(project, 'invite.txt'), readFileSync(await network.inviteFile({ role: 'integrated' })))
    const env = { ...process.env, NODE_NO_WARNINGS: '1' }
    const program = await promisify(execFile)(process.execPath, ['main.ts'], { cwd: project, env, timeout: ceilingMs })
    expect(program).toEqual({ stdout: 'hal sent 5 bytes\n', stderr: '' })
    expect(existsSync(join(project, 'my-node', 'node.key'))).toBe(true)
  })

  it('is found by its name, with all that the README uses', () => {
    const print = "import('trustnet').then((all) => console.log(JSON.stringify(Object.keys(all))))"
    const exported: unknown = JSON.parse(execFileSync(process.execPath, ['-e', print], { encoding: 'utf8' }))
    expect(exported).toEqual(
      expect.arrayContaining([
        'createNode',
        'createNetwork',
        'framed',
        'decodeInvite',
        'ConfigError',
        'UnavailableError'
      ])
    )
  })
})
