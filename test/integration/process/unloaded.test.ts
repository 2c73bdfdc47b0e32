import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Machines } from '../../helpers/machines.ts'
import { tempFolder } from '../../helpers/temp.ts'

/** Writes the packages that a process loads into a file, at its end. */
const listing = `
import { writeFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
const packages = new Set()
registerHooks({
  load(url, context, next) {
    const [, name] = /.*\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url) ?? []
    if (name !== undefined) packages.add(name)
    return next(url, context)
  }
})
process.on('exit', () => process.env.LIST_FILE && writeFileSync(process.env.LIST_FILE, JSON.stringify([...packages])))
`
const traces = '@opentelemetry/exporter-trace-otlp-http'
const http = ['hono', 'prom-client']

test('a root loads the exporter of traces and the HTTP server only where they are switched on', async () => {
  using folder = tempFolder()
  const hooks = join(folder.path, 'list.mjs')
  writeFileSync(hooks, listing)
  await using machines = new Machines({})
  const loadedBy = async (more: Record<string, string>, start: (env: Record<string, string>) => Promise<void>) => {
    const list = join(folder.path, 'list')
    await start({ NODE_OPTIONS: `--import ${hooks}`, LIST_FILE: list, ...more })
    await machines.stop('root')
    const packages: string[] = JSON.parse(readFileSync(list, 'utf8'))
    return packages
  }
  const off = await loadedBy({}, (env) => machines.root(env))
  expect(off).toContain('libp2p')
  expect(off.filter((name) => name === traces || http.includes(name))).toEqual([])
  const on = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://[::1]:1', TRUSTNET_HTTP_LISTEN: '[::1]:0' }
  const again = async (env: Record<string, string>): Promise<void> => {
    machines.start('root', ['registry', 'start'], env)
    await machines.member('root')
  }
  expect(await loadedBy(on, again)).toEqual(expect.arrayContaining([traces, ...http]))
})
