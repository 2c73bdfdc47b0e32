import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  loadConfig,
  readSecret,
  saveConfigValue,
  saveConfigValues,
  saveMissing
} from '../../../../src/node/config/index.ts'
import { ConfigError } from '../../../../src/node/errors.ts'
import { tempFolder } from '../../../helpers/temp.ts'

describe('loadConfig', () => {
  it('without a file gives the defaults and says where values would be saved', () => {
    using folder = tempFolder()
    const loaded = loadConfig({ env: { TRUSTNET_HOME: folder.path }, hostname: 'box' })
    expect([loaded.file, loaded.saveTo]).toEqual([undefined, join(folder.path, 'box.yaml')])
  })

  it('takes the only file, the file of the name, the one of --config or TRUSTNET_CONFIG', () => {
    using folder = tempFolder()
    const write = (name: string, text: string): string => {
      writeFileSync(join(folder.path, name), text)
      return join(folder.path, name)
    }
    const env = { TRUSTNET_HOME: folder.path }
    const a = write('a.yaml', 'name: a\nlisten: { port: 1 }\n')
    expect(loadConfig({ env, hostname: 'x' })).toMatchObject({ file: a, saveTo: a, config: { name: 'a' } })
    const b = write('b.yaml', 'listen: { port: 2 }\n')
    expect(loadConfig({ env, name: 'b' })).toMatchObject({ file: b, config: { name: 'b', listen: { port: 2 } } })
    expect(loadConfig({ env: { ...env, TRUSTNET_CONFIG: a } }).file).toBe(a)
    expect(loadConfig({ env, file: b, hostname: 'h' }).config.name).toBe('h')
    expect(loadConfig({ env, hostname: 'b.example.org' }).file).toBe(b)
    expect(() => loadConfig({ env, hostname: 'x' })).toThrow('choose one with --name NAME or --config FILE')
    expect(loadConfig({ env, name: 'c' })).toMatchObject({ file: undefined, saveTo: join(folder.path, 'c.yaml') })
  })

  it('a file that ends in .yml is never ignored without a word: alone, beside others, and beside one that is named', () => {
    using folder = tempFolder()
    const env = { TRUSTNET_HOME: folder.path }
    const [yaml, yml, other] = ['a.yaml', 'a.yml', 'other.yml'].map((name) => join(folder.path, name))
    if (yaml === undefined || yml === undefined || other === undefined) throw new Error('three names')
    const warnings = (options: Parameters<typeof loadConfig>[0]) => loadConfig({ hostname: 'x', ...options }).warnings
    const ignored = (file: string) => expect.stringContaining(`${file} is not read: a configuration ends in .yaml`)
    writeFileSync(yml, 'name: a\n')
    expect(warnings({ env })).toEqual([ignored(yml)])
    writeFileSync(yaml, 'name: a\n')
    expect(warnings({ env })).toEqual([ignored(yml)])
    expect(warnings({ env, name: 'a' })).toEqual([ignored(yml)])
    writeFileSync(other, '')
    expect(warnings({ env })).toEqual([ignored(yml), ignored(other)])
    // Beside a file that is named lies what belongs to other programs.
    expect(warnings({ env: {}, file: yaml })).toEqual([ignored(yml)])
    expect(warnings({ env: { TRUSTNET_CONFIG: yaml } })).toEqual([ignored(yml)])
    expect(warnings({ env: {}, file: yml })).toEqual([])
  })

  it('a file that is not there is an error that says how to get one', () => {
    expect(() => loadConfig({ file: '/nonexistent/x.yaml', env: {} })).toThrow(ConfigError)
    expect(() => loadConfig({ file: '/nonexistent/x.yaml', env: {} })).toThrow('/nonexistent/x.yaml: cannot be read')
  })
})

describe('saveConfigValue', () => {
  it('saves several values in one step, or none', () => {
    using folder = tempFolder()
    const file = join(folder.path, 'node.yaml')
    expect(() => saveConfigValues(file, { name: 'n1', 'listen.prot': 1 })).toThrow('there is no such key')
    expect(readdirSync(folder.path)).toEqual([])
    saveConfigValues(file, { name: 'n1', 'listen.port': 8001 })
    expect(readFileSync(file, 'utf8')).toBe('name: n1\nlisten:\n  port: 8001\n')
  })

  it('leaves a link a link and writes what is behind it', () => {
    using folder = tempFolder()
    const [link, file] = [join(folder.path, 'a.yaml'), join(folder.path, 'real')]
    writeFileSync(file, 'domain: example.test\n')
    symlinkSync('real', link)
    saveConfigValue(link, 'name', 'n1')
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(readFileSync(file, 'utf8')).toBe('domain: example.test\nname: n1\n')
  })

  it('a link without a target is refused by a command that makes its file', () => {
    using folder = tempFolder()
    const link = join(folder.path, 'a.yaml')
    symlinkSync('gone', link)
    expect(() => loadConfig({ file: link, mayBeNew: true, env: {} })).toThrow('cannot be read')
    expect(loadConfig({ file: join(folder.path, 'b.yaml'), mayBeNew: true, env: {} }).file).toBeUndefined()
  })

  it('changes one value and keeps comments, order and mode', () => {
    using folder = tempFolder()
    const file = join(folder.path, 'n.yaml')
    writeFileSync(file, '# mine\nrole: root # why\nlisten:\n  # the port\n  port: 8000 # free\n\n# end\n')
    chmodSync(file, 0o600)
    saveConfigValue(file, 'listen.port', 8001)
    expect(readFileSync(file, 'utf8')).toBe(
      '# mine\nrole: root # why\nlisten:\n  # the port\n  port: 8001 # free\n\n# end\n'
    )
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder.path)).toEqual(['n.yaml'])
  })

  it('adds to a file, to a section with nothing in it, three levels deep, and makes the file when there is none', () => {
    using folder = tempFolder()
    const file = join(folder.path, 'new', 'n.yaml')
    saveConfigValue(file, 'name', 'n1')
    saveConfigValue(file, 'network.pins', ['12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'])
    saveConfigValue(file, 'protocols.register.puts', '3/1s')
    writeFileSync(file, `${readFileSync(file, 'utf8')}listen:\n  # nothing yet\n`)
    saveConfigValue(file, 'listen.port', 9001)
    const { config } = loadConfig({ file, env: {} })
    expect(config).toMatchObject({ name: 'n1', listen: { port: 9001 } })
    expect(config.network.pins).toHaveLength(1)
    expect(config.protocols.register.puts).toEqual({ count: 3, perMs: 1000 })
    saveConfigValue(file, 'listen.port', undefined)
    expect(loadConfig({ file, env: {} }).config.listen.port).toBe(9000)
  })

  it.each([
    ['role: root\n', 'role: root\nname: hal\n'],
    ['name:\nrole: root\n', 'name: hal\nrole: root\n'],
    ['name: null\n', 'name: hal\n'],
    ['name: ~ # later\n', 'name: hal # later\n'],
    ['name: eve\n', 'name: eve\n'],
    ["name: ''\n", "name: ''\n"]
  ])('a name is written where %j has no value for it', (before, after) => {
    using folder = tempFolder()
    const file = join(folder.path, 'n.yaml')
    writeFileSync(file, before)
    saveMissing(file, 'name', 'hal')
    expect(readFileSync(file, 'utf8')).toBe(after)
  })

  it('refuses unknown keys and files that are no YAML', () => {
    using folder = tempFolder()
    const file = join(folder.path, 'n.yaml')
    expect(() => saveConfigValue(file, 'listen.prot', 1)).toThrow('there is no such key')
    writeFileSync(file, 'a: [')
    expect(() => saveConfigValue(file, 'listen.port', 1)).toThrow('was not saved')
    expect(readFileSync(file, 'utf8')).toBe('a: [')
  })
})

describe('readSecret', () => {
  it('comes from the environment, a named file, or a credential, in this order', () => {
    using folder = tempFolder()
    const file = join(folder.path, 'invite')
    writeFileSync(file, 'from-file\n')
    mkdirSync(join(folder.path, 'credentials'))
    writeFileSync(join(folder.path, 'credentials', 'trustnet-invite'), 'from-credential\n')
    const credentials = { CREDENTIALS_DIRECTORY: join(folder.path, 'credentials') }
    expect(readSecret('invite', { env: { ...credentials, TRUSTNET_INVITE: ' direct ' }, file })).toBe('direct')
    expect(readSecret('invite', { env: { ...credentials, TRUSTNET_INVITE_FILE: file } })).toBe('from-file')
    expect(readSecret('invite', { env: credentials, file })).toBe('from-file')
    expect(readSecret('invite', { env: credentials })).toBe('from-credential')
    expect(readSecret('recoveryPassphrase', { env: credentials })).toBeUndefined()
    expect(readSecret('invite', { env: {} })).toBeUndefined()
  })

  it('a named file that cannot be read or is no secret is an error without its content', () => {
    using folder = tempFolder()
    expect(() => readSecret('invite', { env: {}, file: join(folder.path, 'none') })).toThrow(ConfigError)
    const big = join(folder.path, 'big')
    writeFileSync(big, 'x'.repeat(20_000))
    expect(() => readSecret('invite', { env: {}, file: big })).toThrow('longer than')
  })
})
