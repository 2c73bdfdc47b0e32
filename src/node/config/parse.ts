import { dirname, resolve } from 'node:path'
import { ConfigError } from '../errors.ts'
import { crossChecks } from './cross-checks.ts'
import { defaults, derivedDefaults, nameFromHost } from './defaults.ts'
import { type FileValue, parseFile } from './file.ts'
import { type Key, keyByYaml, keys, nearestEnv, nearestKey, otherEnvironment, sections } from './keys.ts'
import { migrateConfig } from './migrate.ts'
import { fileKeys, type Homes, homes } from './paths.ts'
import { type Config, roleNames } from './schema.ts'
import { type Tree, treeAt, treePut } from './tree.ts'

export type Env = Readonly<Record<string, string | undefined>>
export type Source = 'flag' | 'env' | 'file' | 'default'

export interface ParseInit {
  /** YAML text and the name that messages give it. */
  readonly text?: string
  readonly file?: string
  readonly env?: Env
  /** Overrides by key: { 'listen.port': 9001 }. Values as text or typed. undefined: not given. */
  readonly flags?: Readonly<Record<string, unknown>> | undefined
  /** Place of the flags, for messages; default: the command line. */
  readonly flagsFrom?: string | undefined
  readonly homes?: Homes | undefined
  readonly hostname?: string | undefined
}

export interface Parsed {
  readonly config: Config
  /** Source of each key's value, by its name in YAML. */
  readonly sources: Readonly<Record<string, Source>>
  /** Things that are no errors but deserve a line: keys of an older version, environment names that look like keys and are none. */
  readonly warnings: readonly string[]
}

interface Given {
  readonly value: unknown
  readonly source: Source
  /** Begin of a message about it. */
  readonly label: string
  readonly base: string
}

/** Flag over environment over file over default. Throws one ConfigError with every problem that was found. */
export const parseConfig = (init: ParseInit = {}): Parsed => {
  const env = init.env ?? process.env
  const file = init.file ?? 'config'
  const { text, changes } = migrateConfig(init.text ?? '', file)
  const parsed = parseFile(text, file)
  const problems = [...parsed.problems, ...unknownFlags(init.flags ?? {})]
  const given = collect(parsed.values, env, init, file)
  const values = new Map<string, unknown>()
  for (const key of keys) {
    const one = given.get(key.yaml)
    if (one === undefined) continue
    const result = key.rule.safeParse(one.value)
    if (result.success) values.set(key.yaml, located(key, result.data, one.base))
    else problems.push(...result.error.issues.map((issue) => `${one.label}: ${issue.message}`))
  }
  if (problems.length > 0) throw new ConfigError(problems)
  const config = assemble(values, init)
  const broken = crossChecks(config).map(({ key, message }) => `${given.get(key)?.label ?? key}: ${message}`)
  if (broken.length > 0) throw new ConfigError(broken)
  const sources = Object.fromEntries(keys.map((key) => [key.yaml, given.get(key.yaml)?.source ?? 'default']))
  const older = changes.map((change) => `${file}: ${change} (\`trustnet config migrate\` writes it)`)
  return { config: freeze(config), sources, warnings: [...older, ...unknownEnv(env)] }
}

const collect = (
  fileValues: ReadonlyMap<string, FileValue>,
  env: Env,
  { flags = {}, flagsFrom = 'command line' }: Pick<ParseInit, 'flags' | 'flagsFrom'>,
  file: string
): Map<string, Given> => {
  const given = new Map<string, Given>()
  const cwd = process.cwd()
  for (const key of keys) {
    const fromFile = fileValues.get(key.yaml)
    const fromEnv = env[key.env]
    const fromFlag = flags[key.yaml]
    if (fromFlag !== undefined) {
      given.set(key.yaml, { value: fromFlag, source: 'flag', label: `${flagsFrom}: ${key.yaml}`, base: cwd })
    } else if (fromEnv !== undefined && fromEnv !== '') {
      given.set(key.yaml, { value: fromEnv, source: 'env', label: `environment: ${key.env}`, base: cwd })
    } else if (fromFile !== undefined) {
      const label = `${fromFile.at}: ${key.yaml}`
      given.set(key.yaml, { value: fromFile.value, source: 'file', label, base: dirname(resolve(file)) })
    }
  }
  return given
}

const located = (key: Key, value: unknown, base: string): unknown =>
  fileKeys.has(key.yaml) && typeof value === 'string' ? resolve(base, value) : value

const assemble = (values: ReadonlyMap<string, unknown>, init: ParseInit): Config => {
  const text = (key: string): string | undefined => {
    const value = values.get(key)
    return typeof value === 'string' ? value : undefined
  }
  const role = roleNames.find((one) => one === text('role')) ?? defaults.role
  const name = text('name') ?? nameFromHost(init.hostname)
  const derived = derivedDefaults(role, name, init.homes ?? homes(init.env), text('paths.data'))
  const tree: Tree = {}
  for (const key of keys) {
    const value = values.get(key.yaml) ?? treeAt(derived, key.path) ?? treeAt({ name, ...defaults }, key.path)
    treePut(tree, key.path, value)
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each leaf was made by the rule of its key
  return tree as unknown as Config
}

const freeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) freeze(part)
  return Object.freeze(value)
}

const unknownFlags = (flags: Readonly<Record<string, unknown>>): string[] =>
  Object.keys(flags)
    .filter((name) => !keyByYaml.has(name))
    .map((name) => `command line: ${name}: there is no such key; did you mean ${nearestKey(name) ?? 'another one'}?`)

/** Only names inside a section of ours: an orchestrator sets TRUSTNET_PORT and the like for a service of that name. */
const unknownEnv = (env: Env): string[] => {
  const known = new Set(keys.map((key) => key.env))
  const ours = [...sections].filter((path) => !path.includes('.')).map((name) => `TRUSTNET_${name.toUpperCase()}_`)
  return Object.keys(env)
    .filter((name) => ours.some((start) => name.startsWith(start)) && !known.has(name) && !otherEnvironment.has(name))
    .map((name) => {
      const nearest = nearestEnv(name)
      return `environment: ${name} is no key and is ignored${nearest === undefined ? '' : `; did you mean ${nearest}?`}`
    })
}
