import { distance } from 'fastest-levenshtein'
import { z } from 'zod'
import { schema } from './schema.ts'

/** One leaf of the configuration and its three names. */
export interface Key {
  /** Path in `Config`: ['heartbeat', 'intervalMs']. */
  readonly path: readonly string[]
  /** Path in YAML, in messages and for overrides: 'heartbeat.interval'. */
  readonly yaml: string
  /** 'TRUSTNET_HEARTBEAT_INTERVAL'. */
  readonly env: string
  readonly rule: z.ZodType
  readonly doc: string
  readonly optional: boolean
}

/** 'intervalMs' is written 'interval': the unit is part of the value there. */
const written = (name: string, siblings: Readonly<Record<string, unknown>>): string => {
  if (!/(Ms|^ms)$/.test(name)) return name
  const bare = name === 'ms' ? 'time' : name.slice(0, -2)
  return bare in siblings ? `${bare}Time` : bare
}

const snake = (name: string): string => name.replaceAll(/([A-Z])/g, '_$1').toUpperCase()

const leaf = (path: readonly string[], names: readonly string[], rule: z.ZodType): Key => ({
  path,
  yaml: names.join('.'),
  env: ['TRUSTNET', ...names.map(snake)].join('_'),
  rule,
  doc: rule.description ?? '',
  optional: rule instanceof z.ZodOptional
})

type Shape = Readonly<Record<string, z.ZodType>>

const leaves = (shape: Shape, path: readonly string[] = [], names: readonly string[] = []): Key[] =>
  Object.entries(shape).flatMap(([name, rule]) => {
    const here = [...names, written(name, shape)]
    return rule instanceof z.ZodObject ? leaves(rule.shape, [...path, name], here) : [leaf([...path, name], here, rule)]
  })

/** All keys, in the order of the schema. */
export const keys: readonly Key[] = leaves(schema.shape)

export const keyByYaml: ReadonlyMap<string, Key> = new Map(keys.map((key) => [key.yaml, key]))

/** Paths of the sections: keys of YAML that hold keys. */
export const sections: ReadonlySet<string> = new Set(
  keys.flatMap(({ path }) => path.slice(0, -1).map((_, depth) => path.slice(0, depth + 1).join('.')))
)

/** Environment names that are no keys: where files are, and secrets (see secrets.ts). */
export const otherEnvironment: ReadonlySet<string> = new Set([
  'TRUSTNET_HOME',
  'TRUSTNET_CONFIG',
  'TRUSTNET_INVITE',
  'TRUSTNET_INVITE_FILE',
  'TRUSTNET_RECOVERY_PASSPHRASE',
  'TRUSTNET_RECOVERY_PASSPHRASE_FILE',
  'TRUSTNET_OPERATOR_PASSPHRASE',
  'TRUSTNET_OPERATOR_PASSPHRASE_FILE',
  'TRUSTNET_ROOT_STORE_PASSWORD',
  'TRUSTNET_ROOT_STORE_PASSWORD_FILE'
])

const last = (path: string): string => path.slice(path.lastIndexOf('.') + 1)

/** The right key that looks most like a wrong one, compared as a whole path and by its last part. */
export const nearestKey = (wrong: string): string | undefined => {
  const candidates = [...keys.map((key) => key.yaml), ...sections]
  let best: { name: string; score: number } | undefined
  for (const name of candidates) {
    // Equal last parts in another section are a likelier slip than a different word in the same place.
    const score = Math.min(distance(wrong, name), distance(last(wrong), last(name)) + 0.5)
    if (best === undefined || score < best.score) best = { name, score }
  }
  return best !== undefined && best.score <= Math.max(2.5, wrong.length / 2) ? best.name : undefined
}

export const nearestEnv = (wrong: string): string | undefined => {
  const [best] = keys
    .map((key) => ({ name: key.env, score: distance(wrong, key.env) }))
    .toSorted((a, b) => a.score - b.score)
  return best !== undefined && best.score <= wrong.length / 3 ? best.name : undefined
}
