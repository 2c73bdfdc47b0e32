import { describe, expect, it } from 'vitest'
import { isRefusal, tlsOf } from '../../../../src/node/root/store/postgres-link.ts'

const target = {
  text: '',
  host: 'db.example.org',
  socketFolder: undefined,
  port: 5432,
  user: 'u',
  database: 'log',
  ca: undefined
}

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
    expect(tlsOf({ ...target, host: undefined, socketFolder: '/run/postgresql' }, undefined)).toBe(false)
    expect(tlsOf({ ...target, host: '::1' }, '::1')).toBe(false)
    for (const address of ['::1', '2001:db8::1']) {
      expect(tlsOf(target, address)).toMatchObject({ rejectUnauthorized: true, servername: 'db.example.org' })
    }
  })
})
