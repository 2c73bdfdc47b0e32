import type { ServicesView } from '../../../src/node/api/control-api.ts'

const web = {
  name: 'web',
  port: 8080,
  protocol: 'tcp',
  tags: ['blue'],
  state: 'failing',
  source: 'command',
  refusal: null,
  check: 'http://[::1]:8080/health',
  everyMs: 10_000,
  checkedAgeMs: 3000,
  result: 'answered 503'
} as const

const unchecked = { check: null, everyMs: null, checkedAgeMs: null, result: null }

export const servicesView: ServicesView = {
  services: [
    { ...web, tags: ['blue'] },
    { ...web, ...unchecked, name: 'chat', port: 0, protocol: 'libp2p', tags: [], state: 'unknown', source: 'program' },
    { ...web, ...unchecked, tags: [], source: 'program', refusal: 'the configuration has a service of this name' }
  ],
  maintenance: null
}
