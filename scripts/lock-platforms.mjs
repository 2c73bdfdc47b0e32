// A registry mirror that carries the packages of one platform only makes npm leave those of the others out of the lock file, and
// `npm ci` refuses such a file. Adds them, as optional packages of their platform: run it after `npm install` behind such a mirror.
import { readFileSync, writeFileSync } from 'node:fs'

const path = 'package-lock.json'
const lock = JSON.parse(readFileSync(path, 'utf8'))
const systems = ['android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32', 'aix']
const cpus = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64', 'wasm32']
const added = []

for (const [holder, { optionalDependencies = {} }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const own = `${holder}/node_modules/${name}`.replace(/^\//, '')
    const place = `node_modules/${name}`
    if (lock.packages[own] !== undefined || lock.packages[place]?.integrity !== undefined) continue
    const words = name.split(/[^a-z0-9]+/i)
    const os = systems.filter((system) => words.includes(system))
    const cpu = cpus.find((each) => words.includes(each))
    const libc = words.some((word) => word.startsWith('musl'))
      ? ['musl']
      : words.some((word) => word.startsWith('gnu'))
        ? ['glibc']
        : undefined
    lock.packages[place] = {
      version,
      ...(cpu !== undefined && { cpu: [cpu] }),
      ...(lock.packages[holder].dev === true && { dev: true }),
      ...(libc !== undefined && { libc }),
      optional: true,
      ...(os.length > 0 && { os })
    }
    added.push(name)
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).toSorted(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
process.stdout.write(`${added.length} packages of other platforms added\n`)
