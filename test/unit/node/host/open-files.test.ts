import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../../../src/node/config/index.ts'
import { limitsFor, openFileLimit } from '../../../../src/node/host/open-files.ts'
import { silentLogger } from '../../../../src/runtime/clock-and-logger.ts'
import { tempFolder } from '../../../helpers/temp.ts'

const { config } = parseConfig({ env: {}, hostname: 'node-1' })

const limited = (files: number) => {
  const warnings: string[] = []
  const logger = { ...silentLogger, warn: (_: object, message: string) => warnings.push(message) }
  return { limits: limitsFor(config, logger, files), warnings }
}

describe('connections follow the files that may be open', () => {
  it('with plenty of them they are as configured', () => {
    expect(limited(100_000)).toEqual({ limits: { ...config.limits, sockets: 100_000 - 130 }, warnings: [] })
    expect(limited(Number.POSITIVE_INFINITY)).toEqual({
      limits: { ...config.limits, sockets: Number.POSITIVE_INFINITY },
      warnings: []
    })
  })

  it('with few of them there are fewer, and that is said', () => {
    const { limits, warnings } = limited(256)
    expect(limits).toMatchObject({ sockets: 126, connections: 126, unfinished: 63 })
    expect(warnings).toEqual([
      'only 256 files may be open at a time: 126 inbound connections are taken instead of 300 (limits.connections); ' +
        'raise it with LimitNOFILE of the unit or `ulimit -n`, or lower limits.peersMax'
    ])
  })

  it('with too few nothing starts', () => {
    expect(() => limited(145)).toThrow(
      'only 145 files may be open at a time and 146 are needed: raise it with LimitNOFILE of the unit or `ulimit -n`'
    )
  })
})

it('the limit of this process is read; none is none', () => {
  expect(openFileLimit()).toBeGreaterThan(100)
  using folder = tempFolder()
  const table = join(folder.path, 'limits')
  writeFileSync(table, 'Max open files            unlimited            unlimited            files\n')
  expect(openFileLimit(table)).toBeUndefined()
  expect(openFileLimit(join(folder.path, 'none'))).toBeUndefined()
})
