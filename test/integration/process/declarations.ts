import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** A name in a file. */
type Place = `${string}#${string}`

interface Declarations {
  /** What is declared here, by its name, with their text. */
  readonly own: ReadonlyMap<string, string>
  /** Names that come from other files: here, and for whoever reads this file. */
  readonly imports: ReadonlyMap<string, Place>
  readonly exports: ReadonlyMap<string, Place>
  /** Files of which all is exported. */
  readonly all: readonly string[]
}

const read = new Map<string, Declarations>()

function declarationsIn(file: string): Declarations {
  const known = read.get(file)
  if (known !== undefined) return known
  const text = readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '')
  const pathOf = (from: string) => normalize(join(dirname(file), from.replace(/\.[jt]s$/, '.d.ts')))
  const named = (word: string): Map<string, Place> => {
    const lists = text.matchAll(new RegExp(`^${word} (?:type )?\\{([^}]*)\\} from '(\\.[^']+)'`, 'gm'))
    return new Map(
      [...lists].flatMap(([, list = '', from = '']) =>
        list.split(',').map((each): [string, Place] => {
          const [name = '', as = name] = each
            .trim()
            .replace(/^type /, '')
            .split(' as ')
          return [as, `${pathOf(from)}#${name}`]
        })
      )
    )
  }
  const begins = /^(?:export )?(?:declare )?(?:abstract )?(?:interface|class|type|function|const) (\w+)/gm
  const starts = [...text.matchAll(begins)]
  const own = starts.map(({ 1: name = '', index }, at): [string, string] => [
    name,
    text.slice(index, starts[at + 1]?.index)
  ])
  const all = [...text.matchAll(/^export (?:type )?\* from '([^']+)'/gm)].map(([, from = '']) => pathOf(from))
  const found = { own: new Map(own), imports: named('import'), exports: named('export'), all }
  read.set(file, found)
  return found
}

/** The place where a name is declared that may be passed on by others. */
function declaredAt(place: Place): Place | undefined {
  const [file = '', name = ''] = place.split('#')
  const { own, imports, exports, all } = declarationsIn(file)
  if (own.has(name)) return place
  const from = exports.get(name) ?? imports.get(name)
  if (from !== undefined) return declaredAt(from)
  return all.map((each) => declaredAt(`${each}#${name}`)).find((found) => found !== undefined)
}

function exportedBy(file: string): Place[] {
  const { own, exports, all } = declarationsIn(file)
  const names = [...own.keys()].map((name): Place => `${file}#${name}`)
  return [...names, ...[...exports.values()].flatMap((place) => declaredAt(place) ?? []), ...all.flatMap(exportedBy)]
}

/** Names of types that declarations of an entry name, also those of `also`, and that it does not export: a program cannot write them. */
export function unexported(entry: string, also: readonly Place[]): string[] {
  const exported = new Set(exportedBy(entry))
  const found = [...exported, ...also].flatMap((place) => {
    const [file = '', name = ''] = place.split('#')
    const { own, imports } = declarationsIn(file)
    const words = new Set(own.get(name)?.match(/\b[A-Z]\w*\b/g))
    return [...words].flatMap((word) => {
      const from = imports.get(word) ?? (own.has(word) ? (`${file}#${word}` as const) : undefined)
      const at = from && declaredAt(from)
      return at === undefined || exported.has(at) ? [] : [word]
    })
  })
  return [...new Set(found)].toSorted()
}
