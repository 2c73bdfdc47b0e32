import { globSync, readFileSync } from 'node:fs'
import { Writable } from 'node:stream'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { describe, expect, it } from 'vitest'
import { lineRates } from '../../../src/node/line-limits.ts'
import { createLogging, type LoggingInit } from '../../../src/node/logging.ts'
import { FakeClock } from '../../helpers/observations.ts'

const capture = (init: Partial<LoggingInit> = {}) => {
  const lines: string[] = []
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(
        ...chunk
          .toString()
          .split('\n')
          .filter((line) => line !== '')
      )
      done()
    }
  })
  const logging = createLogging({ node: 'n1', format: 'json', output, ...init })
  return { ...logging, lines, parsed: () => lines.map((line): unknown => JSON.parse(line)) }
}

describe('log lines', () => {
  it('have the fixed fields, flat', () => {
    const { logger, parsed } = capture()
    logger.warn(
      { peer: 'p', retry_after_seconds: 3, error: new Error('why', { cause: new TypeError('deep') }) },
      'it failed'
    )
    const [line] = parsed()
    expect(line).toEqual({
      level: 'warn',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      service: 'trustnet',
      node: 'n1',
      peer: 'p',
      retry_after_seconds: 3,
      error: 'Error: why (TypeError: deep)',
      message: 'it failed'
    })
  })

  it('below the level are not written', () => {
    const { logger, lines } = capture({ level: 'error' })
    logger.warn({}, 'no')
    logger.fatal({}, 'yes')
    expect(lines).toHaveLength(1)
  })

  it('never hold secrets: not as a field, not nested, not inside a text', () => {
    const { logger, lines } = capture()
    const invite = `tnet1${'abcDEF0123456789'.repeat(8)}`
    const short = 'tnet2abcDEF'
    logger.info(
      { seed: 's3cret', passphrase: 's3cret', config: { privateKey: 's3cret' }, argv: ['join', invite, short] },
      `joining by ${invite}`
    )
    logger.error({ error: new Error(`bad invite ${invite}`) }, 'x')
    const all = lines.join('\n')
    expect(all).not.toContain('s3cret')
    expect(all).not.toContain('abcDEF')
    expect(all).toContain('[secret]')
  })

  it('never hold what the process was given as a secret, however JSON spells it', () => {
    const env = { TRUSTNET_RECOVERY_PASSPHRASE: 'a "quoted" \\ phrase', CLOUDFLARE_API_TOKEN: 'cf-token-0123456789' }
    const { logger, parsed } = capture({ given: { argv: ['node', 'start', '--api-token', 'hunter22'], env } })
    logger.warn(
      { error: new Error(`refused: ${env.TRUSTNET_RECOVERY_PASSPHRASE}`) },
      'hunter22, cf-token-0123456789, https://me:hunter23@example.org/'
    )
    expect(parsed()).toMatchObject([
      { error: 'Error: refused: [secret]', message: '[secret], [secret], https://me:[secret]@example.org/' }
    ])
  })

  it('are readable on a terminal', () => {
    const { logger, lines } = capture({ format: 'pretty' })
    logger.info({ peer: 'p' }, 'hello')
    expect(lines.join('')).toMatch(/INFO.*hello.*"peer":"p"/)
  })
})

describe('what others have written, in a line', () => {
  const obeyed = 'a\u001b[2Jb\u009b31mc\u202ed\u200be\u2028f\rg\u{e0041}'

  it('is the same text, and nothing in it is obeyed by a terminal', () => {
    const logging = capture()
    const { logger, lines, parsed } = logging
    logger.warn({ peer: obeyed, error: new Error(obeyed) }, obeyed)
    expect(parsed()).toMatchObject([{ peer: obeyed, error: `Error: ${obeyed}`, message: obeyed }])
    for (const line of [...lines, ...logging.recent().lines]) expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
  })

  it('moves no cursor where lines are readable', () => {
    const { logger, lines } = capture({ format: 'pretty' })
    logger.warn({ peer: obeyed, error: new Error(obeyed) }, obeyed)
    expect(lines.join('')).toContain('31m')
    expect(lines.join('')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
  })
})

describe('the log of libp2p', () => {
  it('is written at debug, with peers and errors formatted and named', async () => {
    const { libp2p, parsed } = capture({ level: 'debug' })
    const peerId = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
    const log = libp2p.forComponent('libp2p:test')
    log('dial %p failed %d times - %e 100%% %z', peerId, 3, new Error('why'))
    log.newScope('inner').error(new Error('thrown'))
    log('%b %t %m %o', Uint8Array.of(1, 2), Uint8Array.of(255), Uint8Array.of(1), { a: 1 })
    log.trace('never')
    expect(parsed()).toMatchObject([
      {
        component: 'libp2p:test',
        peer: peerId.toString(),
        message: `dial ${peerId.toString()} failed 3 times - why 100% %z`
      },
      { component: 'libp2p:test:inner', severity: 'error', message: 'thrown' },
      { message: '5T ff AQ== {"a":1}' }
    ])
  })

  it('follows the last word about one of its parts, whichever names more of them', () => {
    const logging = capture({ level: 'info' })
    const { libp2p, lines } = logging
    const [gossip, dht] = ['libp2p:gossipsub', 'libp2p:kad-dht'].map((name) => libp2p.forComponent(name))
    logging.setLevel('debug', 'libp2p')
    logging.setLevel('info', 'gossipsub')
    gossip?.('not this')
    dht?.('this')
    logging.setLevel('debug', 'libp2p')
    gossip?.('and that')
    expect(lines.map((line) => JSON.parse(line).message)).toEqual(['this', 'and that'])
    for (let number = 0; number < 100; number++) logging.setLevel('debug', `part-${number}`)
    expect([...logging.components().keys()]).toHaveLength(64)
    expect(logging.components().get('part-99')).toBe('debug')
  })

  it('costs nothing when it is not written', () => {
    const { libp2p, lines } = capture({ level: 'info' })
    const log = libp2p.forComponent('libp2p:test')
    expect(log.enabled).toBe(false)
    expect(log.newScope('x')).toBe(log)
    log.error('%e', new Error('x'))
    expect(lines).toEqual([])
  })
})

describe('lines that others cause', () => {
  const order = 'an order was refused: its key is that of no operator'

  it('are so many a minute about one peer, and those about another one are written beside them', () => {
    const clock = new FakeClock()
    const { logger, parsed } = capture({ clock })
    for (let line = 0; line < 5_000; line++) logger.warn({ peer: 'mallory', line }, order)
    expect(parsed()).toHaveLength(lineRates.peer.count)
    logger.warn({ peer: 'hal' }, order)
    logger.warn({ peer: 'mallory' }, 'two processes use the same key')
    const left = 5_000 - lineRates.peer.count
    expect(parsed().slice(lineRates.peer.count)).toEqual([
      expect.objectContaining({ peer: 'hal', left_out: left }),
      expect.not.objectContaining({ left_out: expect.anything() })
    ])
    clock.advance(lineRates.peer.perMs)
    logger.warn({ peer: 'mallory' }, order)
    expect(parsed().at(-1)).toMatchObject({ peer: 'mallory', message: order })
  })

  it('are so many a minute of one message, whoever causes them, and so are those without a peer', () => {
    const { logger, lines } = capture({ clock: new FakeClock() })
    for (let line = 0; line < 5_000; line++) logger.error({ peer: `stranger ${line}` }, order)
    expect(lines).toHaveLength(lineRates.message.count)
    for (let line = 0; line < 5_000; line++) logger.info({ path: '/x' }, 'a request failed')
    expect(lines).toHaveLength(2 * lineRates.message.count)
  })

  it('hide nobody behind some who each use up their own', () => {
    const { logger, parsed } = capture({ clock: new FakeClock() })
    for (let line = 0; line < 5_000; line++) logger.warn({ peer: `mallory ${line % 100}` }, order)
    logger.warn({ peer: 'hal' }, order)
    expect(parsed().at(-1)).toMatchObject({ peer: 'hal' })
    expect(parsed()).toHaveLength(lineRates.firsts.count - 19 + lineRates.message.count)
  })

  it('are all written at debug, for whoever asked for all', () => {
    const { logger, lines } = capture({ level: 'debug', clock: new FakeClock() })
    for (let line = 0; line < 500; line++) logger.debug({ peer: 'mallory' }, order)
    expect(lines).toHaveLength(500)
  })

  it('have no other way to the output: one file makes the log, and nobody else writes to the console', () => {
    const rooms = ['address', 'dns', 'identity', 'node', 'protocols', 'registry', 'runtime']
    const files = rooms.flatMap((room) => globSync(`src/${room}/**/*.ts`))
    expect(files.length).toBeGreaterThan(300)
    const writes = /\bconsole\.|from 'pino'|\bstd(out|err)\.write\(/
    expect(files.filter((file) => writes.test(readFileSync(file, 'utf8')))).toEqual(['src/node/logging.ts'])
  })
})
