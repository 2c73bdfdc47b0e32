import { keys } from '../config/keys.ts'
import type { Config } from '../config/schema.ts'
import { isTree, type Tree } from '../config/tree.ts'
import { ConfigError } from '../errors.ts'

type Values<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: Values<T[K]> | undefined }
    : T

/** Values by the names of `Config`, as a program gives them: what ends in `Ms` is in ms. What is left out keeps its default. */
export interface ConfigValues extends Values<Config> {}

/** The values as overrides of parseConfig, each by its name in YAML. @throws ConfigError for a name that is no key */
export const overridesOf = (values: ConfigValues): Record<string, unknown> => {
  const overrides = new Map<string, unknown>()
  const unknown: string[] = []
  const walk = (tree: Tree, path: readonly string[]): void => {
    for (const [name, value] of Object.entries(tree)) {
      const here = [...path, name]
      const key = keyByPath.get(here.join('.'))
      if (value === undefined) continue
      if (key !== undefined) overrides.set(key, written(name, value))
      else if (isTree(value) && !Array.isArray(value)) walk(value, here)
      else unknown.push(`${here.join('.')} is no key of the configuration`)
    }
  }
  walk({ ...values }, [])
  if (unknown.length > 0) throw new ConfigError(unknown)
  return Object.fromEntries(overrides)
}

const keyByPath: ReadonlyMap<string, string> = new Map(keys.map(({ path, yaml }) => [path.join('.'), yaml]))

/** A number of ms, and a rate, as YAML has them. */
const written = (name: string, value: unknown): unknown => {
  if (typeof value === 'number' && (name === 'ms' || name.endsWith('Ms'))) return `${value}ms`
  return isTree(value) && typeof value['count'] === 'number' && typeof value['perMs'] === 'number'
    ? `${value['count']}/${value['perMs']}ms`
    : value
}
