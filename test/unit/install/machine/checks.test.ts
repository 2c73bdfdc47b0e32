import { describe, expect, it } from 'vitest'
import { foreground } from '../../../../src/install/deployments/foreground.ts'
import { systemd } from '../../../../src/install/deployments/systemd.ts'
import { preflight, stableAddress } from '../../../../src/install/machine/checks.ts'
import { enableIpv6 } from '../../../../src/install/machine/enable-ipv6.ts'
import type { Answers } from '../../../../src/install/model/answers.ts'
import type { Check } from '../../../../src/install/model/check.ts'
import type { MachineFacts } from '../../../../src/install/model/facts.ts'
import { resolveAnswers } from '../../../../src/install/plan/resolve-answers.ts'
import { machineFacts as facts, stableAddress as stable } from '../../../helpers/machine-facts.ts'

const answers = (role: Answers['role'] = 'root'): Answers =>
  resolveAnswers({ name: 'hal', role, domain: 'example.org', trustOnFirstUse: true })

const judge = (more: Partial<MachineFacts> = {}, said = answers()): Map<string, Check> =>
  new Map(preflight(facts(more), said, systemd, { isOurs: false }).map((check) => [check.id, check]))

const levels = (more: Partial<MachineFacts> = {}, said = answers()): Record<string, string> =>
  Object.fromEntries(
    [...judge(more, said)].filter(([, { level }]) => level !== 'pass').map(([id, { level }]) => [id, level])
  )

describe('the checks before an install', () => {
  it('pass on a machine that has everything', () => {
    expect(levels()).toEqual({})
  })

  it.each<[string, Partial<MachineFacts>, Record<string, string>]>([
    ['another user than root', { uid: 1000 }, { rights: 'fail' }],
    ['another system', { os: { ...facts().os, platform: 'darwin' } }, { system: 'fail' }],
    ['a full disk', { diskFreeBytes: 2 ** 29 }, { disk: 'fail' }],
    ['little memory', { memoryBytes: 2 ** 28 }, { memory: 'fail' }],
    ['no systemd', { systemd: false }, { deployment: 'fail' }],
    ['no resolver', { resolvers: [] }, { resolver: 'warn' }],
    ['no default route', { ipv6: { ...facts().ipv6, gateway: null } }, { gateway: 'warn' }],
    ['a taken port', { ports: new Map([[8000, 'nginx (pid 812)']]) }, { port: 'fail' }]
  ])('%s', (_, more, expected) => {
    expect(levels(more)).toEqual(expected)
  })

  it('names of members need systemd-resolved, which alone asks one server for one domain', () => {
    const said = { ...answers(), names: true }
    expect(levels({ resolvers: ['127.0.0.53'] }, said)).toEqual({})
    expect(levels({ resolvers: ['2001:db8::53'] }, said)).toEqual({ names: 'fail' })
    expect(judge({}, answers()).has('names')).toBe(false)
  })

  it('a node takes another port than one that is taken', () => {
    expect(levels({ ports: new Map([[9000, 'nginx (pid 812)']]) }, answers('integrated'))).toEqual({ port: 'warn' })
  })

  it('a port below 1024 is one that a node, which is not root, may not get', () => {
    expect(levels({}, { ...answers(), port: 443 })).toEqual({ port: 'warn' })
    expect(judge({}, { ...answers(), port: 443 }).get('port')?.fix).toContain('--port')
    expect(levels({}, { ...answers(), port: 1024 })).toEqual({})
  })

  it('a failed check says why, and names what mends it', () => {
    expect(judge({ uid: 1000 }).get('rights')?.fix).toBe('run it with sudo')
    expect(judge({ systemd: false }).get('deployment')?.fix).toMatch(/--deployment foreground/)
    expect(judge({ ports: new Map([[8000, 'nginx (pid 812)']]) }).get('port')?.reason).toMatch(/nginx \(pid 812\)/)
  })

  it('without systemd a node in the foreground is fine', () => {
    const checks = preflight(facts({ systemd: false }), answers(), foreground, { isOurs: false })
    expect(checks.filter(({ level }) => level === 'fail')).toEqual([])
  })

  it('a closed port is a warning with the rule that opens it', () => {
    const firewall = { tool: 'nftables', dropsInbound: true, open: [22], chain: ['inet', 'filter', 'input'] } as const
    expect(judge({ firewall }).get('firewall')?.fix).toMatch(/^nft insert rule inet filter input tcp dport 8000 accept/)
  })
})

describe('the choice of an address', () => {
  const among = (...addresses: Partial<typeof stable>[]): string | undefined =>
    stableAddress({ ipv6: { ...facts().ipv6, addresses: addresses.map((one) => ({ ...stable, ...one })) } })

  it.each([
    ['temporary', { temporary: true }],
    ['deprecated', { deprecated: true }],
    ['tentative', { tentative: true }],
    ['link-local', { address: 'fe80::5' }],
    ['loopback', { address: '::1' }]
  ])('refuses one that is %s', (_, one) => {
    expect(among(one)).toBeUndefined()
  })

  it('prefers global before unique local, and a real interface before a bridge of containers', () => {
    expect(among({ address: 'fd00::5' }, { address: '2001:db8::7' })).toBe('2001:db8::7')
    expect(among({ address: 'fd00::1', device: 'docker0' }, { address: 'fd00::9' })).toBe('fd00::9')
  })

  it('an address that another machine of the link has is named, with what to do', () => {
    const ipv6 = { ...facts().ipv6, addresses: [{ ...stable, tentative: true, duplicate: true }] }
    const check = judge({ ipv6 }).get('ipv6')
    expect(check?.reason).toMatch(/2001:db8::5 on eth0 is a duplicate: another machine of the link has it/)
    expect(check?.fix).toMatch(/ip -6 addr del 2001:db8::5\/64 dev eth0/)
  })

  it('takes one that a DHCPv6 server gave, and where a router offers no prefix says that one is needed', () => {
    // A lease has no prefix of its own: what counts is that it stays.
    expect(among({ address: '2001:db8::abcd' })).toBe('2001:db8::abcd')
    const linkLocal = { ...facts().ipv6, addresses: [{ ...stable, address: 'fe80::5' }] }
    expect(judge({ ipv6: linkLocal }).get('ipv6')?.fix).toMatch(
      /a router answers \(fe80::1 on eth0\) but offers no prefix: addresses come by DHCPv6.*iface eth0 inet6 dhcp/
    )
    expect(judge({ ipv6: { ...linkLocal, gateway: null } }).get('ipv6')?.fix).toMatch(/inet6 auto/)
  })

  it('says of each address why it will not do', () => {
    const ipv6 = {
      ...facts().ipv6,
      addresses: [
        { ...stable, temporary: true },
        { ...stable, address: 'fe80::1' }
      ]
    }
    expect(judge({ ipv6 }).get('ipv6')?.reason).toMatch(
      /2001:db8::5 on eth0 is temporary, fe80::1 on eth0 is link-local/
    )
  })
})

describe('IPv6 that is off', () => {
  const off = { ...facts().ipv6, addresses: [], disabled: ['all', 'default', 'eth0'] }

  it('is turned on by one sysctl file, all first', () => {
    const action = enableIpv6(off)
    expect(action?.path).toBe('/etc/sysctl.d/60-trustnet-ipv6.conf')
    expect(Object.keys(action?.values ?? {})).toEqual([
      'net.ipv6.conf.all.disable_ipv6',
      'net.ipv6.conf.default.disable_ipv6',
      'net.ipv6.conf.eth0.disable_ipv6'
    ])
  })

  it('cannot be turned on where /proc/sys is read-only, or the kernel has none', () => {
    expect(enableIpv6({ ...off, writable: false })).toBeUndefined()
    expect(enableIpv6({ ...off, kernel: false })).toBeUndefined()
  })

  it.each([
    ['debian', [], /\/etc\/network\/interfaces/],
    ['ubuntu', ['debian'], /netplan apply/],
    ['rocky', ['rhel', 'fedora'], /nmcli/],
    ['alpine', [], /rc-service networking restart/],
    ['unheard-of', [], /ip -6 addr add/]
  ])('has instructions for %s', (id, like, text) => {
    const os = { ...facts().os, id, like }
    expect(judge({ os, ipv6: { ...off, disabled: [], gateway: null } }).get('ipv6')?.fix).toMatch(text)
  })

  it.each([
    [{ ...off }, /--ipv6-auto-enable/],
    [{ ...off, writable: false }, /from outside/],
    [{ ...off, kernel: false }, /ipv6\.disable=1/]
  ])('says what would help', (ipv6, text) => {
    expect(judge({ ipv6 }).get('ipv6')?.fix).toMatch(text)
  })
})
