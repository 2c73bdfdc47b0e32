import { stringify } from 'yaml'
import { defaults, derivedDefaults } from './defaults.ts'
import { formatDuration } from './durations.ts'
import { type Key, keys } from './keys.ts'
import { configVersion, versionKey } from './migrate.ts'
import { treeAt } from './tree.ts'

const head = `# TrustNet, all keys with their defaults. Remove the # before a key to change it.
# A flag wins over the environment, the environment over this file. \`trustnet config check\` validates it.
# Durations: 30 or 30s, 250ms, 5m, 1h, 90d. Lists in the environment are separated by commas.
# The environment name of a key is TRUSTNET_SECTION_KEY; of a limit of a protocol TRUSTNET_PROTOCOLS_SECTION_KEY.
# Secrets do not belong here: see .env.example.

# version of the keys below: a program that knows only older ones refuses the file
${versionKey}: ${configVersion}
`

/** Sample values of keys without a default. */
const samples: ReadonlyMap<string, unknown> = new Map(
  Object.entries<unknown>({
    name: 'node-1',
    domain: 'example.org',
    networkId: `tn${'a'.repeat(52)}`,
    'announce.addresses': ['/ip6/2001:db8::5/tcp/9000'],
    'bootstrap.rootAddress': '/ip6/2001:db8::1/tcp/8000',
    'bootstrap.inviteFile': '/etc/trustnet/secrets/invite',
    'root.store': 'sqlite',
    'backup.path': '/var/backups/trustnet',
    'alarms.hook': '/usr/local/bin/trustnet-alarm',
    'hooks.onEvent': '/bin/true',
    'dns.listen': '[::1]:5335',
    'http.listen': '[::1]:9080',
    'http.tokenFile': '/etc/trustnet/secrets/http-token'
  })
)

const machine = { config: '/etc/trustnet', data: '/var/lib/trustnet', runtime: '/run/trustnet' }

const defaultOf = (key: Key): unknown => {
  const derived = derivedDefaults(defaults.role, 'node-1', machine)
  const value = treeAt(derived, key.path) ?? treeAt(defaults, key.path) ?? samples.get(key.yaml)
  if (isRate(value)) return `${value.count}/${formatDuration(value.perMs)}`
  return typeof value === 'number' && /(Ms|^ms)$/.test(key.path.at(-1) ?? '') ? formatDuration(value) : value
}

const isRate = (value: unknown): value is { count: number; perMs: number } =>
  typeof value === 'object' && value !== null && 'perMs' in value

const inline = (value: unknown): string => stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim()

/** Lines that open the sections of `path` that those of `before` have not opened. */
const openings = (path: readonly string[], before: readonly string[]): string[] =>
  path.slice(0, -1).flatMap((name, depth) => {
    const known = path.slice(0, depth + 1).join() === before.slice(0, Math.min(depth + 1, before.length - 1)).join()
    return known ? [] : [...(depth === 0 ? [''] : []), `${'  '.repeat(depth)}${name}:`]
  })

/** The example file: every key, its explanation, its environment name and its default, all commented out. */
export const configExample = (): string => {
  const lines = [head]
  let before: readonly string[] = []
  for (const key of keys) {
    const indent = '  '.repeat(key.path.length - 1)
    const name = key.yaml.slice(key.yaml.lastIndexOf('.') + 1)
    lines.push(...openings(key.path, before))
    // Limits of the protocols explain themselves by their names, and there are many.
    if (key.path[0] !== 'protocols') lines.push(`${indent}# ${key.doc} (${key.env})`)
    lines.push(`${indent}#${name}: ${inline(defaultOf(key))}`)
    before = key.path
  }
  return `${lines.join('\n')}\n`
}
