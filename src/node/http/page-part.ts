import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { HttpPart } from './part.ts'

const types: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8']
])

/** The page's document, style and compiled modules; the build puts the first two beside the last. */
const folder = fileURLToPath(new URL('page/', import.meta.url))

/** A file of a package, beside the file that its name leads to. */
const ofPackage = (name: string, file: string): string =>
  join(dirname(createRequire(import.meta.url).resolve(name)), file)

/** Files of the page by path. */
const files = (): ReadonlyMap<string, string> =>
  new Map([
    ['/', join(folder, 'index.html')],
    ['/page/page.css', join(folder, 'page.css')],
    ['/page/cytoscape.js', ofPackage('cytoscape', 'cytoscape.min.js')],
    ['/page/uplot.js', ofPackage('uplot', 'uPlot.iife.min.js')],
    ['/page/uplot.css', ofPackage('uplot', 'uPlot.min.css')],
    ...readdirSync(folder)
      .filter((name) => extname(name) === '.js')
      .map((name): [string, string] => [`/page/${name}`, join(folder, name)])
  ])

/** The page at `/`: files that are read once, when the server starts. */
export const pagePart: HttpPart = (app) => {
  for (const [path, file] of files()) {
    const bytes = new Uint8Array(readFileSync(file))
    const type = types.get(extname(file)) ?? 'application/octet-stream'
    app.get(path, (c) => c.body(bytes, 200, { 'content-type': type, 'cache-control': 'no-cache' }))
  }
}
