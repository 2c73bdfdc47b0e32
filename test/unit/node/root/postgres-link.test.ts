import { describe, expect, it } from 'vitest'
import { isRefusal } from '../../../../src/node/root/store/postgres-link.ts'
import { tlsOf } from '../../../../src/node/root/store/postgres-servers.ts'

describe('the link to the database of the log', () => {
  it('takes only what the server itself has refused as not done', () => {
    const failed = (fields: object): Error => Object.assign(new Error('failed'), fields)
    expect(isRefusal(failed({ severity: 'ERROR', code: '55P03' }))).toBe(true)
    expect(isRefusal(failed({ severity: 'FATAL', code: '57P01' }))).toBe(false)
    expect(isRefusal(failed({ code: 'EPIPE' }))).toBe(false)
    expect(isRefusal(failed({ code: 'ECONNRESET' }))).toBe(false)
    expect(isRefusal(failed({}))).toBe(false)
  })

  it('speaks without TLS to [::1] and unix sockets alone, and to no name that leads there', () => {
    expect(tlsOf(undefined, undefined, undefined)).toBe(false)
    expect(tlsOf('::1', undefined, '::1')).toBe(false)
    for (const address of ['::1', '2001:db8::1']) {
      expect(tlsOf('db.example.org', undefined, address)).toMatchObject({
        rejectUnauthorized: true,
        servername: 'db.example.org'
      })
    }
  })
})
