import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../../../src/node/config/index.ts'
import { keys } from '../../../../src/node/config/keys.ts'
import { treeAt } from '../../../../src/node/config/tree.ts'
import { badIps, badResolvers, ip, sameIp } from '../../../helpers/faults/address-spellings.ts'

/** How an address is written in each kind of key. */
const frames = {
  plain: (text: string) => text,
  prefix: (text: string) => `${text}/128`,
  multiaddr: (text: string) => `/ip6/${text}/tcp/8000`,
  socket: (text: string) => `[${text}]:9080`
} as const

type Frame = keyof typeof frames

/** Every key that takes an address: it takes this one, and not a word of as many characters. */
const addressKeys = keys.flatMap((key) => {
  const found = (Object.keys(frames) as Frame[]).filter((frame) => {
    const takes = (value: string): boolean => key.rule.safeParse(value).success
    return takes(frames[frame](ip)) && !takes('nonsense') && !takes(frames[frame]('nonsense'))
  })
  return found.map((frame) => ({ key, frame }))
})

/** What lets every address of the tests be valid together with the rest. */
const common = { 'announce.allow': 'global,ula,loopback', 'http.tokenFile': '/token' }

const read = (yaml: string, value: string): unknown => {
  const { config } = parseConfig({ env: {}, flags: { ...common, [yaml]: value } })
  return treeAt(config, yaml.split('.'))
}

it('the keys that take addresses are found', () => {
  expect(addressKeys.map(({ key, frame }) => `${key.yaml} ${frame}`)).toEqual([
    'listen.host plain',
    'announce.addresses multiaddr',
    'announce.prefixes prefix',
    'bootstrap.dnsServers plain',
    'bootstrap.dnsServers socket',
    'bootstrap.peers multiaddr',
    'bootstrap.registries multiaddr',
    'bootstrap.rootAddress multiaddr',
    'limits.exemptPrefixes prefix',
    'http.listen socket'
  ])
})

describe.each(addressKeys.map(({ key, frame }) => ({ yaml: key.yaml, env: key.env, write: frames[frame] })))(
  '$yaml',
  ({ yaml, env, write }) => {
    it.each(sameIp)('takes %s for what it is, from flag, environment and file alike', (spelling) => {
      const value = read(yaml, write(spelling))
      expect([value].flat()).toEqual([write(ip)])
      const inEnv = parseConfig({ env: { [env]: write(spelling) }, flags: common }).config
      expect(treeAt(inEnv, yaml.split('.'))).toEqual(value)
      const [section = '', name = ''] = yaml.split('.')
      const written = Array.isArray(value) ? `['${write(spelling)}']` : `'${write(spelling)}'`
      const inFile = parseConfig({ env: {}, flags: common, text: `${section}:\n  ${name}: ${written}\n` }).config
      expect(treeAt(inFile, yaml.split('.'))).toEqual(value)
    })

    const bad = yaml === 'bootstrap.dnsServers' ? badResolvers : badIps
    // A prefix may be of any scope; what is no IPv6 is none.
    const anyScope = new Set([
      'fe80::1',
      'ff02::1',
      '64:ff9b::1',
      '2002:c000:201::1',
      '2001:0:4136:e378::1',
      '::192.0.2.1'
    ])
    const cases = yaml.endsWith('refixes') ? bad.filter((each) => !anyScope.has(each)) : bad
    it.each(cases)('refuses %s when it is read', (spelling) => {
      expect(() => read(yaml, write(spelling))).toThrow(/write/)
    })
  }
)

const listKeys = addressKeys.filter(({ key, frame }) => Array.isArray(read(key.yaml, frames[frame](ip))))

it.each(listKeys.map(({ key, frame }) => [key.yaml, frames[frame]] as const))(
  '%s holds an address once, however often and in however many spellings it is named',
  (yaml, write) => {
    const all = Array.from({ length: 20 }, () => [...sameIp, ip].map(write)).flat()
    expect(read(yaml, all.join())).toEqual([write(ip)])
  }
)

it('resolvers on a link are one, too, with and without the port and the %25 of URLs', () => {
  const all = ['fe80::1%eth0', 'FE80::1%25eth0', '[fe80::1%eth0]:53', '[fe80::0:1%25eth0]:53']
  expect(read('bootstrap.dnsServers', all.join())).toEqual(['fe80::1%eth0'])
})

it('a list of too many different things is refused', () => {
  const nine = Array.from({ length: 9 }, (_, n) => `fd10::${n + 1}`)
  expect(() => read('bootstrap.dnsServers', nine.join())).toThrow('has more than 8 parts')
})

it('one address is listened on, and its scope is not announced: said when it is read', () => {
  const flags = { 'listen.host': '::1' }
  expect(() => parseConfig({ env: {}, flags })).toThrow(
    'announce.allow: lacks loopback, the scope of listen.host ::1, so nothing would be announced: add it, or name announce.addresses'
  )
  expect(parseConfig({ env: {}, flags: { ...flags, 'announce.allow': 'loopback' } }).config.listen.host).toBe('::1')
})
