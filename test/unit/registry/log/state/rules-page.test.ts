import { readFileSync } from 'node:fs'
import { fromString } from 'uint8arrays/from-string'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { entryKinds, openEntry } from '../../../../../src/registry/objects/entry.ts'
import { openGenesis } from '../../../../../src/registry/objects/genesis.ts'

const textOf = (path: string): string => readFileSync(new URL(`../../../../../${path}`, import.meta.url), 'utf8')
const page = textOf('docs/protocols/log-rules.md')
const bytes = z.string().transform((hex) => fromString(hex, 'hex'))
const { genesis, cases } = z
  .object({
    genesis: bytes,
    cases: z.array(z.object({ name: z.string(), entry: bytes, verdict: z.enum(['taken', 'refused']) }))
  })
  .parse(JSON.parse(textOf('test/fixtures/vectors/transitions.json')))
const networkId = openGenesis(genesis).hash
const refused = cases
  .filter(({ verdict }) => verdict === 'refused')
  .map(({ name, entry }) => ({ name, kind: openEntry(entry, networkId).value.kind }))

/** Kinds of the .proto that may stand in a log entry, as the page writes them: number and words. */
const kinds = [...textOf('src/registry/pb/registry.proto').matchAll(/ENTRY_KIND_(\w+) = (\d+)/g)]
  .map(([, word = '', number]) => `${number} ${word.toLowerCase().replaceAll('_', '-')}`)
  .filter((kind) => kind !== '0 genesis')

/** Text below each heading. */
const sections = new Map(
  page
    .split(/^#+ /m)
    .slice(1)
    .map((part): [string, string] => [part.split('\n', 1)[0] ?? '', part])
)

/** Names of vectors in the rows of the tables that say when something is refused. */
const vectorsIn = (text: string): string[] => {
  const rows = text.split('| refused when | vectors |').slice(1)
  return rows.flatMap((table) =>
    (table.split('\n\n', 1)[0] ?? '')
      .split('\n')
      .slice(2)
      .flatMap((row) => (row.split('|').at(-2) ?? '').split(' · ').map((name) => name.trim()))
  )
}

describe('the page with the rules of the log', () => {
  it('has a section for each kind of the .proto, and for no other', () => {
    const found = [...sections.keys()].filter((title) => /^\d/.test(title))
    expect(found).toEqual(kinds)
  })

  it.each(kinds)('says of %s when it is refused, by vectors of that kind, and what is behind it', (kind) => {
    const text = sections.get(kind) ?? ''
    expect(text).toMatch(/[Bb]ehind it/)
    const names = vectorsIn(text)
    expect(names).not.toHaveLength(0)
    const own = refused.filter((each) => each.kind !== 'unknown' && kind.startsWith(`${entryKinds[each.kind]} `))
    expect(names.filter((name) => !own.some((each) => each.name === name))).toEqual([])
  })

  it('names each vector that is refused, once', () =>
    expect(vectorsIn(page).toSorted()).toEqual(refused.map(({ name }) => name).toSorted()))
})
