import { stringify } from 'yaml'
import { configVersion, keys, versionKey } from '../../node/config/index.ts'

const head = (name: string): string => `# TrustNet node ${name}, written by \`trustnet install\`.
# The environment wins over this file (TRUSTNET_SECTION_KEY); \`trustnet config check\` validates it.
# All other keys and their defaults: trustnet config show --example

# version of the keys below: a program that knows only older ones refuses the file
${versionKey}: ${configVersion}`

const inline = (value: unknown): string => stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim()

/** A configuration file with those keys, each with its explanation. The keys are as in YAML: 'paths.data'. */
export const configText = (name: string, values: Readonly<Record<string, unknown>>): string => {
  const lines = [head(name)]
  let section = ''
  for (const key of keys) {
    const value = values[key.yaml]
    if (value === undefined) continue
    const at = key.yaml.lastIndexOf('.')
    const above = at < 0 ? '' : key.yaml.slice(0, at)
    if (above !== section && above !== '') lines.push(`\n${above}:`)
    section = above
    const indent = above === '' ? '' : '  '
    lines.push(`${indent}# ${key.doc}`, `${indent}${key.yaml.slice(at + 1)}: ${inline(value)}`)
  }
  return `${lines.join('\n')}\n`
}
