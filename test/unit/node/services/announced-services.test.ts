import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AnnouncedServices } from '../../../../src/node/services/announced-services.ts'
import { type Offered, offered } from '../../../../src/node/services/offered.ts'
import { silentLogger, systemClock } from '../../../../src/runtime/clock-and-logger.ts'

let folder: string
let changes: number
const configured: Offered[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'services-'))
  configured.length = 0
  changes = 0
})
afterEach(() => rmSync(folder, { recursive: true }))

const file = (): string => join(folder, 'services.json')
const made = (): AnnouncedServices =>
  new AnnouncedServices({
    configured: () => configured,
    file: file(),
    clock: systemClock,
    logger: silentLogger,
    onChange: () => changes++
  })
const names = (services: AnnouncedServices): string[] => services.list().map(({ name }) => name)

describe('services of a node', () => {
  it('come from configuration, commands and the program, and are sorted', () => {
    configured.push(offered({ name: 'web', port: 80 }))
    const services = made()
    services.add({ name: 'db', port: 5432, tags: ['b', 'a'] })
    services.announce({ name: 'chat' })
    expect(services.list()).toEqual([
      { name: 'chat', port: 0, protocol: 'libp2p', tags: [], state: 'unknown' },
      { name: 'db', port: 5432, protocol: 'tcp', tags: ['a', 'b'], state: 'unknown' },
      { name: 'web', port: 80, protocol: 'tcp', tags: [], state: 'unknown' }
    ])
    expect(changes).toBe(1)
  })

  it('of commands are there after a restart, those of a program are not', () => {
    const before = made()
    before.add({ name: 'db', port: 5432, check: 'tcp', everyMs: 30_000 })
    before.announce({ name: 'chat' })
    before.setMaintenance('new disk')
    const after = made()
    expect(after.list()).toEqual([{ name: 'db', port: 5432, protocol: 'tcp', tags: [], state: 'maintenance' }])
    expect(after.maintenance).toEqual(before.maintenance)
    expect(after.offers()).toMatchObject([{ source: 'command', service: { check: 'tcp', everyMs: 30_000 } }])
    after.setMaintenance(undefined)
    after.remove('db')
    expect(made().said()).toEqual({ services: [] })
  })

  it('end with what announced them', () => {
    const services = made()
    const web = services.announce({ name: 'web', port: 80 })
    expect(names(services)).toEqual(['web'])
    web[Symbol.dispose]()
    web[Symbol.dispose]()
    expect(names(services)).toEqual([])
  })

  it.each([
    ['x'.repeat(65), 80],
    ['<b>', 80],
    ['Web', 80],
    ['', 80],
    ['web', 0],
    ['web', 70_000],
    ['web', 1.5]
  ])('a name or port that is none is refused: %s %d', (name, port) => {
    expect(() => made().announce({ name, port, protocol: 'tcp' })).toThrow(/service (of|web)|of a service/)
  })

  it.each([
    'udp',
    'https://[::1]/',
    'http://127.0.0.1:80/',
    'http://localhost:80/',
    'http://example.org/',
    'http://[::1].example.org/',
    'http://[::1]@example.org/',
    'http://user@[::1]/',
    'http://[::ffff:7f00:1]/',
    'http://[fe80::1]/',
    'file:///etc/passwd',
    '',
    `http://[::1]/${'x'.repeat(300)}`
  ])('a check of another machine, or none, is refused: %s', (check) => {
    expect(() => offered({ name: 'web', port: 80, check })).toThrow(/asks this machine alone/)
  })

  it('a check in several spellings is one', () => {
    expect(offered({ name: 'web', port: 80, check: 'HTTP://[0:0::1]:80/a/../b#c' }).check).toBe('http://[::1]/b')
    expect(() => offered({ name: 'chat', check: 'tcp' })).toThrow(/needs a service with a port/)
    expect(() => offered({ name: 'web', port: 80, check: 'tcp', everyMs: 10 })).toThrow(/every 1s to 1d/)
  })

  it('have room for 16, and for 512 bytes of names and tags', () => {
    const services = made()
    for (let n = 0; n < 16; n++) services.add({ name: `s${n}`, port: 80 })
    expect(() => services.announce({ name: 'more', port: 80 })).toThrow(/16 services at most/)
    expect(() => services.announce({ name: 's1', port: 80 })).toThrow(/`trustnet service add` has a service/)
    const long = made()
    for (let n = 0; n < 16; n++) long.remove(`s${n}`)
    const tags = Array.from({ length: 7 }, (_, n) => `${n}`.repeat(64))
    long.announce({ name: 'long', port: 80, tags })
    expect(() => long.announce({ name: 'longer', port: 80, tags })).toThrow(/512/)
  })

  it('of a configuration count more than those before it, which are named', () => {
    const services = made()
    services.add({ name: 'web', port: 80 })
    configured.push(offered({ name: 'web', port: 8080 }))
    services.changed()
    expect(services.list()).toMatchObject([{ port: 8080 }])
    expect(services.offers().map(({ source, refusal }) => [source, refusal])).toEqual([
      ['config', undefined],
      ['command', 'the configuration has a service of this name']
    ])
    services.remove('web')
    expect(() => services.remove('web')).toThrow(/stands in the configuration/)
    expect(() => services.remove('none')).toThrow(/there is no service none/)
  })

  it('a reason of a maintenance is text of at most 64 characters', () => {
    const services = made()
    for (const reason of ['x'.repeat(65), '\u001b[31m', '\u202e'])
      expect(() => services.setMaintenance(reason)).toThrow(/reason of the maintenance/)
    expect(services.maintenance).toBeUndefined()
    expect(readdirSync(folder)).toEqual([])
  })

  it('a file that nobody can read lies aside, and the node goes on', () => {
    for (const text of ['{', '[]', '{"services":[{"name":"<b>"}]}']) {
      writeFileSync(file(), text)
      expect(made().list()).toEqual([])
    }
    expect(readdirSync(folder).filter((name) => name.startsWith('services.json.damaged-'))).toHaveLength(3)
    made().add({ name: 'web', port: 80 })
    expect(JSON.parse(readFileSync(file(), 'utf8'))).toMatchObject({ services: [{ name: 'web' }] })
  })
})
