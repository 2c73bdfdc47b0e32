import { describe, expect, it } from 'vitest'
import { type ParseInit, parseConfig } from '../../../../src/node/config/index.ts'
import { ConfigError } from '../../../../src/node/errors.ts'

const parse = (init: ParseInit) => parseConfig({ env: {}, file: 'node.yaml', ...init })

describe('stores', () => {
  const owner = '12D3KooWGRUfgPvBSk3h8u5cQm9YxZc1V8rPpYb4tq1oRCu1aaaa'

  it.each([
    ['all', 'all'],
    ['none', 'none'],
    ['[music, alice/maps, alice/*, music]', ['music', 'alice/maps', 'alice/*']],
    ['[]', []]
  ])('that are followed: %s', (given, fetch) => {
    expect(parse({ text: `stores:\n  fetch: ${given}\n` }).config.stores).toMatchObject({
      fetch,
      quotaBytes: 2 ** 30 * 10
    })
  })

  it('may be named by one value of the environment', () => {
    const env = { TRUSTNET_STORES_FETCH: 'music, alice/*', TRUSTNET_STORES_QUOTA_BYTES: '1048576' }
    expect(parse({ env }).config.stores).toMatchObject({ fetch: ['music', 'alice/*'], quotaBytes: 1_048_576 })
  })

  it.each([
    '["*"]',
    '["*/music"]',
    '[Music]',
    '["a/b/c"]',
    '["/music"]',
    '["alice/"]',
    '[""]',
    '[7]',
    '7',
    `["${owner}x/a"]`
  ])('that are none are refused: %s', (given) => {
    expect(() => parse({ text: `stores: { fetch: ${given} }` })).toThrow(ConfigError)
  })
})
