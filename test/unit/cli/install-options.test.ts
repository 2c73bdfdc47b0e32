import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { type InstallOptions, withInstallOptions } from '../../../src/cli/install/options.ts'

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
