import { isMap, isNode, isScalar, LineCounter, type Node, type Pair, parseDocument, type YAMLMap } from 'yaml'
import { yamlFault } from './field-types/yaml-fault.ts'
import { keyByYaml, nearestKey, sections } from './keys.ts'
import { maxConfigBytes, versionKey } from './migrate.ts'

/** A value in the file and where it stands. */
export interface FileValue {
  readonly value: unknown
  /** 'trustnet.yaml:12:3' */
  readonly at: string
}

export interface ParsedFile {
  readonly values: ReadonlyMap<string, FileValue>
  readonly problems: readonly string[]
}

/** Anchors are allowed, bombs of them are not. */
const maxAliases = 20

/** Reads the YAML text into values by key ('listen.port'), with a problem for each key that does not exist. */
export const parseFile = (text: string, file: string): ParsedFile => {
  if (text.length > maxConfigBytes)
    return { values: new Map(), problems: [`${file}: is longer than ${maxConfigBytes} characters`] }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number | undefined): string => {
    const { line, col } = lines.linePos(offset ?? 0)
    return `${file}:${line}:${col}`
  }
  const problems = document.errors.map((error) => `${at(error.pos[0])}: ${yamlFault(error)}`)
  const values = new Map<string, FileValue>()
  if (problems.length > 0) return { values, problems }
  const read = (map: YAMLMap, above: string): void => {
    for (const pair of map.items) {
      const { key, offset } = nameOf(pair, above)
      if (key === versionKey) continue
      const value = isNode(pair.value) ? pair.value : null
      const place = at(value?.range?.[0] ?? offset)
      const empty = value === null || (isScalar(value) && value.value === null)
      if (sections.has(key)) {
        if (isMap(value)) read(value, key)
        else if (!empty) problems.push(`${place}: ${key}: is a section and must hold keys`)
      } else if (!keyByYaml.has(key)) problems.push(unknownKey(key, at(offset)))
      else if (!empty) keep(value, key, place)
    }
  }
  const keep = (node: Node, key: string, place: string): void => {
    try {
      values.set(key, { value: node.toJS(document, { maxAliasCount: maxAliases }), at: place })
    } catch (error) {
      problems.push(`${place}: ${key}: ${yamlFault(error)}`)
    }
  }
  const root = document.contents
  if (isMap(root)) read(root, '')
  else if (root !== null && !(isScalar(root) && root.value === null)) {
    problems.push(`${at(root.range?.[0])}: must hold keys, like \`role: integrated\``)
  }
  return { values, problems }
}

const nameOf = (pair: Pair, above: string): { key: string; offset: number | undefined } => {
  const name = isScalar(pair.key) ? String(pair.key.value) : String(pair.key)
  const offset = isScalar(pair.key) ? pair.key.range?.[0] : undefined
  return { key: above === '' ? name : `${above}.${name}`, offset }
}

const unknownKey = (key: string, at: string): string => {
  const nearest = nearestKey(key)
  return `${at}: ${key}: there is no such key${nearest === undefined ? '' : `; did you mean ${nearest}?`}`
}
