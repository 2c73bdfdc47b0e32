import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StatusView } from '../../../src/node/api/control-api.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually } from '../../helpers/network.ts'
import { type HostNetwork, whyNoNamespaces } from '../host-network.ts'
import { attackerPrefix, threeSites } from './three-sites.ts'

const reason = whyNoNamespaces()
// In CI a machine that cannot do it is a failure; elsewhere it is said and skipped.
const skipped = reason !== undefined && process.env['CI'] !== 'true'
if (skipped) process.stderr.write(`test/hosts is skipped: ${reason}\n`)

const program = resolve('dist/bin/trustnet.js')
const script = (name: string) => resolve(`dist/test/hosts/${name}.js`)
const joins = 20

describe.skipIf(skipped)('300 silent sockets of one /64', () => {
  let network: HostNetwork
  let networkId = ''
  let address = ''
  const home = () => ({ TRUSTNET_HOME: join(network.host('root').folder, 'home') })
  const cli = (...args: string[]) => network.run('root', [process.execPath, program, ...args], home())
  const status = (): StatusView | undefined => {
    try {
      const view: StatusView = JSON.parse(cli('status', '--json'))
      return view
    } catch {
      // Not up yet: the caller asks again until its deadline.
      return undefined
    }
  }
  const begun = (): number =>
    Number(
      readFileSync(join(network.host('bad').folder, 'bad.log'), 'utf8')
        .trim()
        .split('\n')
        .at(-1)
    )

  beforeAll(async () => {
    if (reason !== undefined) throw new Error(`CI must be able to make network namespaces: ${reason}`)
    if (!existsSync(program)) throw new Error('dist is missing: npm run build')
    network = threeSites()
    const made: { networkId: string } = JSON.parse(
      cli('init', '--name', 'root', '--domain', 'example.test', '--policy', 'open', '--new-network', '--json')
    )
    networkId = made.networkId
    network.start('root', 'root', [process.execPath, program, 'registry', 'start'], home())
    await eventually(() => status()?.membership.state === 'member')
    address = `/ip6/${network.host('root').address}/tcp/8000`
  })

  afterAll(() => network?.[Symbol.dispose]())

  it(`lets ${joins} of ${joins} honest machines join meanwhile`, async () => {
    network.start('bad', 'bad', [
      process.execPath,
      script('silent-sockets'),
      network.host('root').address,
      '8000',
      attackerPrefix,
      '300'
    ])
    await eventually(() => begun() > 1_000)
    const work = [process.execPath, script('honest-joins'), address, networkId, String(joins)]
    const out = network.run('good', work, {}, undefined, ceilingMs)
    const ms: number[] = JSON.parse(out)
    expect(begun()).toBeGreaterThan(2_000)
    expect(ms).toHaveLength(joins)
    expect(status()?.word).toBeDefined()
  })
})
