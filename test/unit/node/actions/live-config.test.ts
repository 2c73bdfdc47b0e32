import { describe, expect, it } from 'vitest'
import { markOf, putLive } from '../../../../src/node/actions/live-config.ts'
import { parseConfig } from '../../../../src/node/config/index.ts'
import { keys } from '../../../../src/node/config/keys.ts'

const config = (flags: Readonly<Record<string, unknown>> = {}) =>
  structuredClone(
    parseConfig({ env: {}, homes: { config: '/c', data: '/d', runtime: '/r' }, flags: { name: 'hal', ...flags } })
      .config
  )

describe('a reload', () => {
  it('knows of each key of the configuration whether it may change while the process runs', () => {
    const without = keys.filter(({ path }) => markOf(path) === undefined).map(({ yaml }) => yaml)
    expect(without).toEqual([])
    const live = keys.filter(({ path }) => markOf(path) === 'live').map(({ yaml }) => yaml)
    expect(live).toContain('logging.level')
    expect(live).not.toContain('listen.port')
  })

  it('puts live values in place where all find them, and names the rest each time', () => {
    const into = config()
    const { bootstrap, services } = into
    const from = config({
      'logging.level': 'debug',
      'listen.port': 9100,
      'bootstrap.dnsServers': ['[2001:db8::53]:53'],
      'backup.keep': 3,
      services: [{ name: 'web', port: 80 }]
    })
    const expected = {
      changed: ['services', 'bootstrap.dnsServers', 'backup.keep', 'logging.level'],
      restart: ['listen.port']
    }
    const first = putLive(into, from)
    expect({ ...first, changed: [...first.changed].toSorted() }).toEqual({
      ...expected,
      changed: expected.changed.toSorted()
    })
    expect([into.logging.level, into.backup.keep, into.listen.port]).toEqual(['debug', 3, config().listen.port])
    // Those who hold a part of it see the same.
    expect([bootstrap.dnsServers, services.map(({ name }) => name)]).toEqual([from.bootstrap.dnsServers, ['web']])
    expect(putLive(into, from)).toEqual({ changed: [], restart: ['listen.port'] })
  })
})
