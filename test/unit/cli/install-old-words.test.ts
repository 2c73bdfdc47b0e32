import { Command } from 'commander'
import { expect, test } from 'vitest'
import { withAliases, withInstallOptions } from '../../../src/cli/install/options.ts'

const parsed = (...argv: string[]) => {
  const command = withInstallOptions(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
  return withAliases(command.parse(argv, { from: 'user' }).opts())
}

test('words of before mean what they meant, and are shown nowhere', () => {
  const old = ['--registry-type', 'independent', '--node-name', 'hal', '--deployment', 'vm']
  const today = ['--role', 'secondary', '--name', 'hal', '--deployment', 'systemd']
  expect(parsed(...old)).toEqual({ role: 'secondary', name: 'hal', deployment: 'systemd' })
  expect(parsed(...old)).toEqual(parsed(...today))
  const help = withInstallOptions(new Command()).helpInformation()
  for (const word of ['independent', 'registry-type', 'node-name', 'vm']) expect(help).not.toContain(word)
})

test('a word that is none is refused with those of today', () => {
  for (const word of ['constructor', 'registry'])
    expect(() => parsed('--role', word)).toThrow(/Allowed choices are root, secondary, integrated, external\./)
})
