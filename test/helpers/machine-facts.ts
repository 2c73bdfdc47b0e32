import type { MachineFacts } from '../../src/install/model/facts.ts'

/** An address that stays. */
export const stableAddress = {
  address: '2001:db8::5',
  device: 'eth0',
  temporary: false,
  deprecated: false,
  tentative: false,
  duplicate: false
}

/** Facts of a machine that has everything. */
export const machineFacts = (more: Partial<MachineFacts> = {}): MachineFacts => ({
  uid: 0,
  os: { platform: 'linux', arch: 'x64', id: 'debian', like: [], name: 'Debian 12', kernel: '6.1', libc: 'glibc' },
  memoryBytes: 2 ** 31,
  diskFreeBytes: 2 ** 34,
  systemd: true,
  container: null,
  ipv6: {
    kernel: true,
    disabled: [],
    writable: true,
    addresses: [stableAddress],
    gateway: { via: 'fe80::1', device: 'eth0' }
  },
  resolvers: ['2001:db8::53'],
  ports: new Map(),
  firewall: { tool: 'none', dropsInbound: false, open: [], chain: [] },
  programs: new Map(),
  ...more
})
