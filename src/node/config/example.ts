import { stringify } from 'yaml'
import { defaults, derivedDefaults } from './defaults.ts'
import { formatDuration } from './durations.ts'
import { type Key, keys } from './keys.ts'

const head = `# TrustNet, all keys with their defaults. Remove the # before a key to change it.
# A flag wins over the environment, the environment over this file. \`trustnet config check\` validates it.
# Durations: 30 or 30s, 250ms, 5m, 1h, 90d. Lists in the environment are separated by commas.
# Secrets do not belong here: see .env.example.
`

/** What a key without a default might look like. */
const samples: Readonly<Record<string, unknown>> = {
  name: 'node-1',
  domain: 'example.org',
  networkId: `tn${'abcdefghijklmnopqrstuvwxyz234567'.repeat(2).slice(0, 52)}`,
  'announce.addresses': ['/ip6/2001:db8::5/tcp/9000'],
  'bootstrap.rootAddress': '/ip6/2001:db8::1/tcp/8000',
  'bootstrap.inviteFile': '/etc/trustnet/secrets/invite',
  'backup.path': '/var/backups/trustnet',
  'alarms.hook': '/usr/local/bin/trustnet-alarm'
}

const machine = { config: '/etc/trustnet', data: '/var/lib/trustnet', runtime: '/run/trustnet' }

type Tree = Readonly<Record<string, unknown>>

const defaultOf = (key: Key): unknown => {
  const find = (tree: Tree): unknown =>
    key.path.reduce<unknown>((node, part) => (node as Tree | undefined)?.[part], tree)
  const value = find(derivedDefaults(defaults.role, 'node-1', machine)) ?? find(defaults) ?? samples[key.yaml]
  return key.path.at(-1)?.endsWith('Ms') ? formatDuration(value as number) : value
}

const inline = (value: unknown): string => stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim()

/** The example file: every key, its explanation, its environment name and its default, all commented out. */
export const configExample = (): string => {
  const lines = [head]
  let section = ''
  for (const key of keys) {
    const [first = '', second] = key.path
    if (second !== undefined && first !== section) lines.push('', `${first}:`)
    section = second === undefined ? '' : first
    const indent = second === undefined ? '' : '  '
    const name = key.yaml.slice(key.yaml.lastIndexOf('.') + 1)
    lines.push(`${indent}# ${key.doc} (${key.env})`, `${indent}#${name}: ${inline(defaultOf(key))}`)
  }
  return `${lines.join('\n')}\n`
}
