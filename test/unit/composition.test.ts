import { globSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const files = globSync('src/**/*.ts', { exclude: ['**/pb/**'] }).toSorted()
const sources = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]))

/** Names of classes that a supervisor runs: they have `start(services: Supervisor)`. */
const components = [...sources].flatMap(([, text]) =>
  text
    .split(/^(?=(?:export )?class )/m)
    .filter((part) => /^ {2}start\(\w+: Supervisor\)/m.test(part))
    .flatMap((part) => /class (\w+)/.exec(part)?.[1] ?? [])
)

it('components that run are made in one file, and nowhere else', () => {
  expect(components.length).toBeGreaterThan(6)
  const made = new RegExp(`new (?:${components.join('|')})\\(`)
  const places = [...sources].filter(([, text]) => made.test(text)).map(([file]) => file)
  // The registry is a part of its own, which wires its liveness.
  expect(places).toEqual(['src/node/components.ts', 'src/registry/open-registry.ts'])
})

interface Shape {
  readonly fields: number
  readonly extended: readonly string[]
}

/** Interfaces by name: how many fields each has, and what it extends, with fewer fields where it omits some. */
const shapes = new Map<string, Shape>()
for (const text of sources.values()) {
  for (const [, name = '', extended = '', body = ''] of text.matchAll(
    /interface (\w+)(?:<[^>]*>)?(?: extends ([^{]+))? \{\n([\s\S]*?)\n\}/g
  )) {
    const left = [...extended.matchAll(/'\w+'/g)].length
    const fields = [...body.matchAll(/^ {2}(?:readonly )?\w+\??[:(]/gm)].length - left
    shapes.set(name, { fields, extended: [...extended.matchAll(/\b\w+\b/g)].map(([each]) => each) })
  }
}

const fieldsOf = (name: string): number => {
  const { fields = 0, extended = [] } = shapes.get(name) ?? {}
  return extended.reduce((sum, each) => sum + fieldsOf(each), fields)
}

it('what a component is made with has eight fields at most', () => {
  const inits = [...shapes.keys()].filter((name) => name.endsWith('Init'))
  expect(inits.length).toBeGreaterThan(50)
  const grown = inits.filter((name) => fieldsOf(name) > 8)
  expect(grown.map((name) => `${name}: ${fieldsOf(name)}`)).toEqual([])
})

it('generated code says only what differs between messages', () => {
  const generated = globSync('src/**/pb/*.ts').map((file) => readFileSync(file, 'utf8').split('\n').length)
  expect(generated.length).toBeGreaterThan(6)
  expect(generated.reduce((sum, lines) => sum + lines)).toBeLessThan(6_000)
})
