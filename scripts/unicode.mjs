// Writes src/identity/assigned.ts: which code points Unicode 15.0 assigns. It never changes: replicas of all versions must agree.
// Needs the data once: npm install --no-save @unicode/unicode-15.0.0@2.0.7

import { writeFileSync } from 'node:fs'

const data = process.argv[2] ?? '@unicode/unicode-15.0.0'
const { default: assigned } = await import(`${data}/Binary_Property/Assigned/code-points.mjs`)

/** Where a run of assigned code points begins, and where one that is not. */
const edges = []
let next = -1
for (const code of assigned) {
  if (code !== next) edges.push(...(next < 0 ? [] : [next]), code)
  next = code + 1
}
edges.push(next)

const packed = edges.map((edge, index) => (edge - (edges[index - 1] ?? 0)).toString(36)).join(' ')
const lines = packed.match(/.{1,110}(?: |$)/g) ?? []
writeFileSync(
  new URL('../src/identity/assigned.ts', import.meta.url),
  `/** Made by scripts/unicode.mjs: code points that Unicode 15.0 assigns, as lengths of runs that are and are not, from the first on. */
export const assignedRuns =
  ${lines.map((line) => `'${line}'`).join(' +\n  ')}
`
)
