import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { setLogLevel } from '../../../../src/node/actions/log-level.ts'
import { parseConfig } from '../../../../src/node/config/index.ts'
import { createLogging } from '../../../../src/node/logging.ts'

const node = () => {
  const lines: string[] = []
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString())
      done()
    }
  })
  return { logging: createLogging({ node: 'n1', format: 'json', output }), config: parseConfig({}).config, lines }
}

describe('the level of the log', () => {
  it('is that of the process, or of what libp2p calls so, which may be nothing', () => {
    const hal = node()
    expect(setLogLevel(hal, 'debug')).toMatchObject({ level: 'debug', message: expect.stringMatching(/^this process/) })
    const { services, message } = setLogLevel(hal, 'debug', 'nonsense')
    expect(services).toEqual([{ name: 'nonsense', level: 'debug' }])
    expect(message).toContain('what libp2p calls nonsense, if anything')
  })

  it('counts for the next line', () => {
    const hal = node()
    const { logger } = hal.logging
    logger.debug({}, 'not this')
    setLogLevel(hal, 'debug')
    logger.debug({}, 'but this')
    setLogLevel(hal, 'error')
    logger.warn({}, 'nor that')
    expect(hal.lines.join('')).toContain('but this')
    for (const silent of ['not this', 'nor that']) expect(hal.lines.join('')).not.toContain(silent)
  })
})
