import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import type { Ask } from '../../../src/cli/install/ask.ts'
import { type InstallOptions, withInstallOptions } from '../../../src/cli/install/options.ts'
import { askAll } from '../../../src/cli/install/questions.ts'
import type { Given } from '../../../src/install/plan/resolve-answers.ts'
import { machineFacts } from '../../helpers/machine-facts.ts'

const parse = (...argv: string[]): InstallOptions => {
  const command = withInstallOptions(new Command('install'))
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
  return command.parse(argv, { from: 'user' }).opts()
}

const switches = [
  'plan',
  'yes',
  'start',
  'verbose',
  'ipv6-auto-enable',
  'open-firewall',
  'monitoring',
  'names',
  'trust-on-first-use'
]
/** Names that every object has. */
const inherited = Object.getOwnPropertyNames(Object.prototype)

describe('a switch of install', () => {
  it('is true or false', () => {
    expect(parse('--plan')).toEqual({ plan: true })
    expect(parse('--plan=true', '--start=no')).toEqual({ plan: true, start: false })
  })

  it('does not look as if it were on by default', () => {
    const help = withInstallOptions(new Command('install')).helpInformation()
    expect(help).not.toContain('preset')
    expect(parse()).toEqual({})
  })

  it.each(switches)('--%s takes no word that merely is a name inside the program', (name) => {
    for (const word of [...inherited, 'True', '1', ''])
      expect(() => parse(`--${name}=${word}`), word).toThrow(/true or false/)
  })
})

describe('the port', () => {
  it('is a decimal number, as everywhere', () => {
    expect(parse('--port', '8100')).toEqual({ port: 8100 })
    for (const word of [...inherited, '0x50', '8e3', '+80', ' 80', '080', '80.0', '0', '65536', 'many', ''])
      expect(() => parse(`--port=${word}`), word).toThrow(/--port needs a whole number from 1 to 65535/)
  })
})

describe('the HTTP API', () => {
  it('is an address, or a switch', () => {
    expect(parse('--http', '--yes')).toEqual({ http: true, yes: true })
    expect(parse('--http=no')).toEqual({ http: false })
    expect(parse('--http', '[2001:DB8::0005]:9443')).toEqual({ http: '[2001:db8::5]:9443' })
    for (const word of [...inherited, '127.0.0.1:80', '9400', '::1', '[fe80::1]:80'])
      expect(() => parse(`--http=${word}`), word).toThrow(/: write /)
  })

  it('is asked about, and no is the answer of who presses Enter', async () => {
    const asked: [string, boolean][] = []
    const enter: Ask = {
      select: async (_, __, fallback) => fallback,
      input: async (_, { fallback = '' } = {}) => fallback,
      secret: async () => '',
      confirm: async (question, fallback) => {
        asked.push([question, fallback])
        return fallback
      }
    }
    const said: Given = { role: 'root', domain: 'example.org', name: 'hal' }
    expect((await askAll(enter, said, machineFacts())).http).toBe(false)
    expect(asked).toEqual([[expect.stringContaining('HTTP, at [::1]:8400'), false]])
    // What was said is not asked.
    for (const more of [{ http: true }, { http: false }, { monitoring: true }])
      await askAll(enter, { ...said, ...more }, machineFacts())
    expect(asked).toHaveLength(1)
  })
})
