import { isMap, isNode, isScalar, isSeq, parseDocument, stringify } from 'yaml'
import { reasonOf } from '../../runtime/error-message.ts'
import { InstallError } from '../errors.ts'

/** Entries of ours in a configuration of Prometheus. */
export interface PrometheusEntries {
  /** File of alert rules. */
  readonly rules: string
  /** Files of targets: one for each node of this machine. */
  readonly targets: string
}

const jobName = 'trustnet'

const jobOf = ({ targets }: PrometheusEntries) => ({ job_name: jobName, file_sd_configs: [{ files: [targets] }] })

const isJob = (item: unknown): boolean =>
  typeof item === 'object' && item !== null && Reflect.get(item, 'job_name') === jobName

/** Adds the entries that are missing. Every byte that is there stays. @throws InstallError for what is no such configuration */
export const withEntries = (text: string, entries: PrometheusEntries): string => {
  const withRules = withItem(text, 'rule_files', entries.rules, (item) => item === entries.rules)
  return withItem(withRules, 'scrape_configs', jobOf(entries), isJob)
}

/** Takes the entries out again; nothing else changes. @throws InstallError for what is no such configuration */
export const withoutEntries = (text: string, entries: PrometheusEntries): string => {
  const withoutRules = withoutItem(text, 'rule_files', (item) => item === entries.rules)
  return withoutItem(withoutRules, 'scrape_configs', isJob)
}

type Test = (item: unknown) => boolean

const withItem = (text: string, key: string, item: unknown, isOurs: Test): string => {
  const list = listOf(text, key)
  if (list?.values.some(isOurs)) return text
  const whole = text === '' || text.endsWith('\n') ? text : `${text}\n`
  const lines = stringify([item], { lineWidth: 0 })
  if (list === undefined) return checked(`${whole}${key}:\n${indented(lines, 2)}`, key, isOurs)
  const { items, isFlow, start, indent, keyEnd } = list
  if (isFlow) {
    const at = items.length === 0 ? start + 1 : placeOf(items[0])[0]
    return checked(spliced(text, at, at, `${inBrackets(item)}${items.length === 0 ? '' : ', '}`), key, isOurs)
  }
  const at = whole.indexOf('\n', keyEnd) + 1
  return checked(spliced(whole, at, at, indented(lines, indent)), key, isOurs)
}

const inBrackets = (item: unknown): string =>
  stringify([item], { lineWidth: 0, collectionStyle: 'flow' }).trim().slice(1, -1).trim()

const indented = (lines: string, by: number): string => lines.replaceAll(/^(?=.)/gm, ' '.repeat(by))

const spliced = (text: string, from: number, to: number, put = ''): string => text.slice(0, from) + put + text.slice(to)

const withoutItem = (text: string, key: string, isOurs: Test): string => {
  const list = listOf(text, key)
  const at = list?.values.findIndex(isOurs) ?? -1
  if (list === undefined || at < 0) return text
  const [start, end] = placeOf(list.items[at])
  if (!list.isFlow) {
    const last = start + text.slice(start, end).trimEnd().length
    const next = text.indexOf('\n', last) + 1
    return spliced(text, text.lastIndexOf('\n', start) + 1, next === 0 ? text.length : next)
  }
  if (at + 1 < list.items.length) return spliced(text, start, placeOf(list.items[at + 1])[0])
  return spliced(text, at === 0 ? start : placeOf(list.items[at - 1])[1], end)
}

interface List {
  readonly items: readonly unknown[]
  /** Meanings of the items, in the same order. */
  readonly values: readonly unknown[]
  readonly isFlow: boolean
  readonly start: number
  readonly indent: number
  readonly keyEnd: number
}

/** The list of that name; undefined: there is none. */
const listOf = (text: string, key: string): List | undefined => {
  const { contents, values } = read(text)
  const pair = contents.find(({ key: name }) => isScalar(name) && name.value === key)
  if (pair === undefined) return undefined
  const { value } = pair
  const [, keyEnd] = placeOf(pair.key)
  const [start, end] = placeOf(value)
  if (isSeq(value)) {
    const indent = start - text.lastIndexOf('\n', start) - 1
    return { items: value.items, values: valuesOf(values, key), isFlow: value.flow === true, start, indent, keyEnd }
  }
  if (start < end) throw refused(`${key} is no list`)
  return { items: [], values: [], isFlow: false, start, indent: 2, keyEnd }
}

const valuesOf = (config: unknown, key: string): readonly unknown[] => {
  const list: unknown = typeof config === 'object' && config !== null ? Reflect.get(config, key) : undefined
  return Array.isArray(list) ? list : []
}

const read = (text: string) => {
  const document = parseDocument(text)
  const { contents } = document
  const [error] = document.errors
  // Behind the first line stands what is in the file, which may be a secret.
  if (error !== undefined) throw refused(`it is no YAML, ${error.message.split(':\n')[0]}`)
  if (contents !== null && !isMap(contents)) throw refused('it is no mapping')
  try {
    const values: unknown = document.toJS()
    return { contents: contents?.items ?? [], values }
  } catch (unresolved) {
    throw refused(`it is no YAML, ${reasonOf(unresolved)}`)
  }
}

const placeOf = (node: unknown): readonly [start: number, end: number] => {
  const [start, end] = (isNode(node) ? node.range : undefined) ?? [0, 0]
  return [start, end]
}

/** @throws InstallError for a configuration that would be broken by the change, as it is written in a way that is not known here */
const checked = (text: string, key: string, isOurs: Test): string => {
  if (listOf(text, key)?.values.some(isOurs)) return text
  throw refused(`${key} is written in a way that is not known here`)
}

const refused = (why: string): InstallError =>
  new InstallError(
    `The configuration of Prometheus stays as it is: ${why}. Mend it, then run this again; docs/monitoring.md says what --monitoring writes there.`
  )
