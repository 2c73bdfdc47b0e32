import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { describe, expect, it } from 'vitest'
import { nameFromHost } from '../../../../src/node/config/defaults.ts'
import { configExample, keys, type ParseInit, parseConfig } from '../../../../src/node/config/index.ts'
import { ConfigError } from '../../../../src/node/errors.ts'
import { defaultLimits } from '../../../../src/protocols/engine/limits.ts'

const parse = (init: ParseInit) => parseConfig({ env: {}, file: 'node.yaml', ...init })

const problemsOf = (init: ParseInit): readonly string[] => {
  try {
    parse(init)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

describe('defaults', () => {
  it('an empty file is a valid configuration', () => {
    const { config, sources, warnings } = parse({ text: '', hostname: 'Web_1.example.org' })
    expect(config).toMatchObject({
      name: 'web-1',
      role: 'integrated',
      listen: { host: '::', port: 9000 },
      bootstrap: { port: 8000 },
      heartbeat: { intervalMs: 30_000, missedThreshold: 3 },
      replication: { intervalMs: 60_000, syncTimeoutMs: 10_000, queueLimit: 1000, backoffMultiplier: 2 },
      limits: { connections: 300 }
    })
    expect(config.protocols).toEqual(defaultLimits)
    expect(config.domain).toBeUndefined()
    expect(new Set(Object.values(sources))).toEqual(new Set(['default']))
    expect(warnings).toEqual([])
  })

  it.each([
    ['root', 8000, 12_000, 5000],
    ['secondary', 8000, 12_000, 5000],
    ['integrated', 9000, 300, 1000],
    ['external', 9000, 300, 1000]
  ] as const)('%s listens on %i', (role, port, connections, queueLimit) => {
    const { config } = parse({ flags: { role } })
    expect([config.listen.port, config.limits.connections, config.replication.queueLimit]).toEqual([
      port,
      connections,
      queueLimit
    ])
  })

  it("takes the spec's other word for secondary", () => {
    expect(parse({ text: 'role: independent' }).config.role).toBe('secondary')
  })

  it('every host name becomes a DNS label', () => {
    expect(nameFromHost('Node.Example.Org')).toBe('node')
    expect(nameFromHost('_weird__host_')).toBe('weird-host')
    expect(nameFromHost('---')).toBe('node')
    expect(nameFromHost('x'.repeat(80))).toHaveLength(63)
    expect(parse({ hostname: undefined }).config.name).toBe(nameFromHost(hostname()))
  })

  it('folders follow from name and home', () => {
    const { config } = parse({ env: { TRUSTNET_HOME: '/srv/tn' }, flags: { name: 'n1' } })
    expect(config.paths).toEqual({ data: '/srv/tn/data/n1', key: '/srv/tn/data/n1/node.key', runtime: '/srv/tn/run' })
    const moved = parse({ flags: { name: 'n1', 'paths.data': '/data' } }).config.paths
    expect(moved).toMatchObject({ data: '/data', key: '/data/node.key' })
  })

  it('is frozen to the last leaf', () => {
    const { config } = parse({})
    expect([config, config.listen, config.announce.allow, config.protocols.register.puts].every(Object.isFrozen)).toBe(
      true
    )
  })
})

describe('sources', () => {
  it('a flag wins over the environment, the environment over the file, the file over the default', () => {
    const text = 'listen:\n  port: 1001\nheartbeat:\n  interval: 11s\n  timeout: 1s\n'
    const env = { TRUSTNET_LISTEN_PORT: '1002', TRUSTNET_HEARTBEAT_INTERVAL: '12s' }
    const { config, sources } = parse({ text, env, flags: { 'listen.port': '1003' } })
    expect([config.listen.port, config.heartbeat.intervalMs, config.heartbeat.timeoutMs]).toEqual([1003, 12_000, 1000])
    expect(sources).toMatchObject({
      'listen.port': 'flag',
      'heartbeat.interval': 'env',
      'heartbeat.timeout': 'file',
      'listen.host': 'default'
    })
  })

  it('an empty environment variable and an undefined flag are not given', () => {
    const { config } = parse({ env: { TRUSTNET_LISTEN_PORT: '' }, flags: { 'listen.port': undefined } })
    expect(config.listen.port).toBe(9000)
  })

  it('every key has one name in YAML and one in the environment, and each works', () => {
    expect(new Set(keys.map(({ yaml }) => yaml)).size).toBe(keys.length)
    expect(new Set(keys.map(({ env }) => env)).size).toBe(keys.length)
    expect(keys.map(({ env }) => env)).toEqual(
      expect.arrayContaining([
        'TRUSTNET_NETWORK_ID',
        'TRUSTNET_BOOTSTRAP_DNS_SERVERS',
        'TRUSTNET_HEARTBEAT_MISSED_THRESHOLD'
      ])
    )
    const env = {
      TRUSTNET_ANNOUNCE_ALLOW: 'global, loopback',
      TRUSTNET_DHT_ENABLED: 'no',
      TRUSTNET_PROTOCOLS_REGISTER_HEARTBEATS: '3/20s',
      TRUSTNET_PROTOCOLS_STRANGERS_TIME: '10s'
    }
    const { config } = parse({ env })
    expect(config.announce.allow).toEqual(['global', 'loopback'])
    expect(config.dht.enabled).toBe(false)
    expect(config.protocols.register.heartbeats).toEqual({ count: 3, perMs: 20_000 })
    expect(config.protocols.strangers.ms).toBe(10_000)
  })

  it('relative paths count from their file, or from the working folder', () => {
    const text = 'paths:\n  data: data\nbootstrap:\n  inviteFile: secrets/invite\n'
    const { config } = parse({ text, file: '/etc/trustnet/n.yaml', env: { TRUSTNET_PATHS_RUNTIME: 'run' } })
    expect(config.paths.data).toBe('/etc/trustnet/data')
    expect(config.bootstrap.inviteFile).toBe('/etc/trustnet/secrets/invite')
    expect(config.paths.runtime).toBe(`${process.cwd()}/run`)
  })

  it('warns of environment names that look like keys, and not of those that an orchestrator sets', () => {
    const { warnings } = parse({
      env: {
        TRUSTNET_LISTEN_PROT: '1',
        TRUSTNET_PORT: 'tcp://10.0.0.1:80',
        TRUSTNET_SERVICE_HOST: 'x',
        TRUSTNET_INVITE: 'y'
      }
    })
    expect(warnings).toEqual([expect.stringContaining('did you mean TRUSTNET_LISTEN_PORT?')])
  })
})

describe('errors', () => {
  it.each([
    ['rol: root', 'node.yaml:1:1: rol: there is no such key; did you mean role?'],
    ['port: 9000', 'node.yaml:1:1: port: there is no such key; did you mean listen.port?'],
    [
      'heartbeat:\n  intervall: 3s',
      'node.yaml:2:3: heartbeat.intervall: there is no such key; did you mean heartbeat.interval?'
    ],
    ['listen:\n  port: 99999', 'node.yaml:2:9: listen.port: 99999 is outside 0 to 65535'],
    ['listen:\n  port: 80.5', 'node.yaml:2:9: listen.port: 80.5 is no whole number'],
    ["listen:\n  port: '08000'", "listen.port: '08000' is no whole number"],
    ["listen:\n  port: '0x50'", "listen.port: '0x50' is no whole number"],
    ["listen:\n  port: '8e3'", "listen.port: '8e3' is no whole number"],
    ["listen:\n  port: '+80'", "listen.port: '+80' is no whole number"],
    ['listen: 9000', 'node.yaml:1:9: listen: is a section and must hold keys'],
    ['- role: root', 'node.yaml:1:1: must hold keys, like `role: integrated`'],
    ['role: boss', "node.yaml:1:7: role: 'boss' is none of root, secondary, integrated, external"],
    ['name: 007', 'node.yaml:1:7: name: is read as the number 7, and text is due: put it in quotes'],
    ['name: true', 'name: is read as the word true, and text is due: put it in quotes'],
    ['name: Node_1', "node.yaml:1:7: name: 'Node_1' is no name"],
    ['domain: localhost', "node.yaml:1:9: domain: 'localhost' is no domain name"],
    ['domain: x_y.test', "node.yaml:1:9: domain: 'x_y.test' is no domain name: each of its parts has letters, digits"],
    [`domain: ${'a'.repeat(64)}.test`, 'is no domain name: each of its parts has letters, digits'],
    ['domain: localhost.', "domain: 'localhost.' is no domain name: it has at least two parts"],
    ['networkId: tnabc', "node.yaml:1:12: networkId: 'tnabc' is no network id"],
    ['listen:\n  host: 127.0.0.1', "node.yaml:2:9: listen.host: '127.0.0.1' is an IPv4 address"],
    ['heartbeat:\n  interval: 5 parsecs', "node.yaml:2:13: heartbeat.interval: '5 parsecs' is no duration"],
    ['protocols:\n  strangers:\n    time: 25d', "protocols.strangers.time: '25d' is outside 1ms to 24d"],
    ['gossip:\n  enabled: perhaps', "node.yaml:2:12: gossip.enabled: 'perhaps' is neither true nor false"],
    [
      'bootstrap:\n  peers: [/ip4/192.0.2.1/tcp/8000]',
      "bootstrap.peers: '/ip4/192.0.2.1/tcp/8000' is an IPv4 address; peers use IPv6 alone"
    ],
    ['announce:\n  addresses: []', 'node.yaml:2:14: announce.addresses: is empty'],
    ['announce:\n  addresses: [/ip6/fe80::1/tcp/9]', "'/ip6/fe80::1/tcp/9' is a link-local address"],
    ['protocols:\n  register:\n    puts: many', "node.yaml:3:11: protocols.register.puts: 'many' is no rate"],
    ['role: root\nrole: external', 'node.yaml:2:1: Map keys must be unique'],
    ['listen:\n  port: [', 'node.yaml:2:'],
    ['domain: *.org', 'node.yaml:1:9: domain: begins with *, which names another value; text that has signs'],
    ['network:\n  pins: [*a]', 'network.pins: begins with *, which names another value'],
    ['name: @hal', 'node.yaml:1:7: Plain value cannot start with reserved character @; text that has signs'],
    ['name: a: b', 'text that has signs of YAML in it is put in quotes'],
    ['heartbeat:\n  timeout: 40s', 'node.yaml:2:12: heartbeat.timeout: must be shorter than heartbeat.interval']
  ])('%j names the place and what is right', (text, message) => {
    expect(problemsOf({ text }).join('\n')).toContain(message)
  })

  it.each([
    ['Example.ORG', 'example.org'],
    ['example.org.', 'example.org'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['BÜCHER.Example.', 'xn--bcher-kva.example'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['例え.テスト', 'xn--r8jz45g.xn--zckzah']
  ])('the domain %s is taken, and is %s from then on', (given, domain) => {
    expect(parse({ text: `domain: ${given}` }).config.domain).toBe(domain)
    expect(parse({ flags: { domain: given } }).config.domain).toBe(domain)
    expect(parse({ env: { TRUSTNET_DOMAIN: given } }).config.domain).toBe(domain)
  })

  it.each([
    'example.org..',
    'bücher',
    'a..example',
    'example.org/x',
    'user@example.org',
    '192.0.2.1',
    'example.org:53'
  ])('the domain %s is refused with the rule that it breaks', (domain) => {
    expect(problemsOf({ flags: { domain } })).toEqual([
      expect.stringMatching(/is no domain name: (?:each of its parts has letters|it has at least two parts)/)
    ])
  })

  it('all problems come at once, each with its source', () => {
    const problems = problemsOf({
      text: 'rol: x\nlisten:\n  port: no\n',
      env: { TRUSTNET_DHT_SERVER: 'sometimes' },
      flags: { 'heartbeat.interval': 'x', nonsense: 1 }
    })
    expect(problems).toEqual([
      expect.stringContaining('node.yaml:1:1: rol'),
      expect.stringContaining('command line: nonsense'),
      expect.stringContaining('node.yaml:3:9: listen.port'),
      expect.stringContaining('command line: heartbeat.interval'),
      expect.stringContaining('environment: TRUSTNET_DHT_SERVER')
    ])
  })

  it('a file that is no configuration by its size is refused', () => {
    expect(problemsOf({ text: `# ${'x'.repeat(300_000)}` })).toEqual([expect.stringContaining('longer than')])
  })

  it('a file whose aliases stand for a billion values is refused, and one that is nested thousands of times', () => {
    const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']
    const nine = (of: string): string => `[${Array.from({ length: 9 }, () => of).join(', ')}]`
    const lines = letters.map((letter, index) => `&${letter} ${nine(index === 0 ? 'x' : `*${letters[index - 1]}`)}`)
    const laughs = `announce:\n  allow: [${lines.join(', ')}]\nbootstrap:\n  peers: *i\n`
    expect(problemsOf({ text: laughs })).toContainEqual(
      expect.stringContaining('bootstrap.peers: stands for too many values by its aliases')
    )
    expect(problemsOf({ text: `name: ${'['.repeat(5_000)}` })[0]).toContain('is nested too deeply')
  })
})

describe('the example', () => {
  const example = configExample()

  it('is the file in examples/', () => {
    expect(readFileSync(new URL('../../../../examples/trustnet.yaml', import.meta.url), 'utf8')).toBe(example)
  })

  it('changes nothing as it is', () => {
    const homes = { config: '/c', data: '/d', runtime: '/r' }
    expect(parse({ text: example, homes }).config).toEqual(parse({ homes }).config)
  })

  it('holds every key with its default, so that taking away each # is valid', () => {
    const text = example.replaceAll(/^(\s*)#(?=\S)/gm, '$1')
    const { config, sources } = parse({ text, hostname: 'node-1' })
    expect(new Set(Object.values(sources))).toEqual(new Set(['file']))
    const plain = parse({ flags: { name: 'node-1' } }).config
    expect({ ...config, paths: plain.paths, domain: undefined, networkId: undefined }).toMatchObject({
      listen: plain.listen,
      heartbeat: plain.heartbeat,
      limits: plain.limits,
      protocols: plain.protocols
    })
  })
})

describe('services', () => {
  it('are written as a table or as one word, and are named where they are none', () => {
    const text = 'services:\n  - web:8080\n  - { name: dns, port: 53, protocol: udp, tags: [b, a] }\n'
    const dns = { name: 'dns', port: 53, protocol: 'udp', tags: ['a', 'b'] }
    const web = { name: 'web', port: 8080, protocol: 'tcp', tags: [] }
    expect(parse({ text }).config.services).toEqual([web, dns])
    expect(parse({ text: 'services: [{ name: web, port: 8080, expose: true }]' }).config.services).toEqual([
      { ...web, expose: '[::1]:8080' }
    ])
    const app = 'services: [{ name: app, expose: "unix:/run//app.sock" }]'
    expect(parse({ text: app }).config.services).toEqual([
      { name: 'app', port: 0, protocol: 'libp2p', tags: [], expose: 'unix:/run/app.sock' }
    ])
    const elsewhere = 'services: [{ name: web, port: 8080, expose: "[::1]:80" }]'
    expect(parse({ text: elsewhere }).config.services).toEqual([{ ...web, expose: '[::1]:80' }])
    expect(parse({ env: { TRUSTNET_SERVICES: 'web:8080, mail:25/tcp' } }).config.services).toEqual([
      web,
      { ...web, name: 'mail', port: 25 }
    ])
  })

  it.each([
    'web',
    'web:0',
    'web:70000',
    'web:80/icmp',
    `${'x'.repeat(65)}:80`,
    '<b>:80',
    '{ name: web }',
    '{ name: web, port: 80, color: red }',
    '{ name: web, port: 80, protocol: udp, expose: true }',
    '{ name: web, port: 80, protocol: udp, expose: "unix:/run/app.sock" }',
    '{ name: web, expose: true }',
    '{ name: web, expose: "unix:app.sock" }',
    '{ name: web, expose: "[2001:db8::1]:80" }',
    '{ name: web, expose: "unix:/run/app.sock", check: tcp }',
    '{ name: web, port: 80, tags: ["\\u001b"] }',
    'web:80, web:81'
  ])('that are none are refused: %s', (given) => {
    expect(problemsOf({ text: `services: [${given}]` })).toEqual([expect.stringContaining('services')])
  })
})
