import { type Document, isMap, parseDocument } from 'yaml'
import { ConfigError } from '../errors.ts'

/** Version that this program reads and writes: `configVersion` in the file. One that says nothing is held to be of any earlier version. */
export const configVersion = 2

/** The only key of a file that is no key of the configuration. */
export const versionKey = 'configVersion'

/** A configuration is a few hundred lines; more is another kind of file. */
export const maxConfigBytes = 256 * 1024

export interface Migrated {
  readonly text: string
  /** Changes of keys that are written in another way now, for people; empty: the text is as it was. */
  readonly changes: readonly string[]
}

interface Migration {
  /** Version of the files that it turns into the next one. */
  readonly from: number
  apply(document: Document): string[]
}

const moved = (document: Document, from: string, to: string): string[] => {
  const [old, next] = [from.split('.'), to.split('.')]
  if (!document.hasIn(old)) return []
  const value: unknown = document.getIn(old)
  remove(document, old)
  if (document.hasIn(next)) return [`${from} is left out: ${to} takes its place and is there`]
  document.setIn(next, value)
  return [`${from} is ${to} now`]
}

const gone = (document: Document, path: string, why: string): string[] => {
  if (!document.hasIn(path.split('.'))) return []
  remove(document, path.split('.'))
  return [`${path} is left out: ${why}`]
}

/** With the section, when nothing else is in it. */
const remove = (document: Document, path: readonly string[]): void => {
  document.deleteIn(path)
  const above = path.slice(0, -1)
  const section: unknown = document.getIn(above)
  if (above.length > 0 && isMap(section) && section.items.length === 0) document.deleteIn(above)
}

const migrations: readonly Migration[] = [
  {
    from: 1,
    apply: (document) => [
      ...moved(document, 'limits.strangers', 'protocols.strangers.open'),
      ...moved(document, 'limits.strangerTime', 'protocols.strangers.time'),
      ...gone(document, 'gossip.batch', 'advertisements are sent as they come')
    ]
  }
]

/** Brings the text of a file to this version; comments of other keys stay. @throws ConfigError for a file of a newer program */
export const migrateConfig = (text: string, file: string): Migrated => {
  if (text.length > maxConfigBytes) return { text, changes: [] }
  const document = parseDocument(text)
  // The parser says what is wrong, with the line.
  if (document.errors.length > 0 || !isMap(document.contents)) return { text, changes: [] }
  const said = document.get(versionKey)
  const from = said === undefined ? 1 : Number(said)
  if (!Number.isInteger(from) || from < 1)
    throw new ConfigError([`${file}: ${versionKey}: must be a whole number from 1 to ${configVersion}`])
  if (from > configVersion) {
    throw new ConfigError([
      `${file}: ${versionKey}: ${from} is of a newer TrustNet, this one reads up to ${configVersion}: ` +
        'run the newer program, or go back to the copy of the file that its upgrade left beside it'
    ])
  }
  const changes = migrations.filter((one) => one.from >= from).flatMap((one) => one.apply(document))
  if (changes.length === 0) return { text, changes }
  document.set(versionKey, configVersion)
  return { text: document.toString({ lineWidth: 0 }), changes }
}
