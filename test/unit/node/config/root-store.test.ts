import { describe, expect, it } from 'vitest'
import { etcdTarget } from '../../../../src/node/config/field-types/etcd-url.ts'
import { storeTarget } from '../../../../src/node/config/field-types/root-store-url.ts'
import { parseConfig } from '../../../../src/node/config/index.ts'
import { ConfigError } from '../../../../src/node/errors.ts'

const parse = (store: string, role = 'secondary') =>
  parseConfig({ env: {}, file: 'node.yaml', text: `role: ${role}\nroot:\n  store: ${store}\n` }).config.root.store

const problemOf = (...given: Parameters<typeof parse>): string => {
  try {
    return `taken: ${parse(...given)}`
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
}

describe('root.store', () => {
  it.each([
    [
      'postgres://trustnet@db.example.org/log',
      { servers: [{ host: 'db.example.org', port: 5432 }], user: 'trustnet', database: 'log' }
    ],
    [
      'postgresql://u@[2001:db8::1]:6432/log',
      { servers: [{ host: '2001:db8::1', port: 6432, socketFolder: undefined }] }
    ],
    ['postgres://u@%2Frun%2Fpostgresql/log', { servers: [{ host: undefined, socketFolder: '/run/postgresql' }] }],
    [
      'postgres://u@a,[2001:db8::1]:6432,b:7000/log?sslrootcert=/own.pem',
      {
        servers: [
          { host: 'a', port: 5432 },
          { host: '2001:db8::1', port: 6432 },
          { host: 'b', port: 7000 }
        ],
        user: 'u',
        database: 'log',
        ca: '/own.pem'
      }
    ],
    ['postgres://u@db/log?sslrootcert=/etc/ssl/own.pem', { ca: '/etc/ssl/own.pem', passwordFile: undefined }],
    ['postgres://u@a,b/log?passwordfile=/etc/db.password', { passwordFile: '/etc/db.password' }]
  ])('%s leads to a database', (text, target) => {
    expect(parse(text)).toBe(text)
    expect(storeTarget(text)).toMatchObject(target)
  })

  it.each([
    ['mysql://u@db/log', 'is no address of a database'],
    ['db.example.org', 'is no address of a database'],
    ['postgres://u@db', 'lacks a user, a host or a database'],
    ['postgres://db/log', 'lacks a user, a host or a database'],
    ['postgres://u@db/log/more', 'lacks a user, a host or a database'],
    ['postgres://u@%FF/log', 'lacks a user, a host or a database'],
    ['postgres://u@192.0.2.1/log', 'IPv6 alone'],
    ['postgres://u@a,192.0.2.1/log', 'IPv6 alone'],
    ['postgres://u@a,/log', 'is no address of a database'],
    ['postgres://u@a,b,c,d,e,f,g,h,i/log', 'names more than 8 servers'],
    ['postgres://u@db/log?sslmode=disable', 'has the parameter sslmode']
  ])('%s does not', (text, problem) => {
    expect(problemOf(text)).toContain(problem)
  })

  const files = 'cert=/etc/own.crt&key=/etc/own.key'

  it.each([
    [`etcd+https://a?${files}`, { endpoints: [{ host: 'a', port: 2379 }], ca: undefined, key: '/etc/own.key' }],
    [
      `etcd+https://a.example.org,b:2380,[2001:db8::1]:2381/?${files}&cacert=/etc/ca.pem`,
      {
        endpoints: [
          { host: 'a.example.org', port: 2379 },
          { host: 'b', port: 2380 },
          { host: '2001:db8::1', port: 2381 }
        ],
        ca: '/etc/ca.pem'
      }
    ]
  ])('%s leads to an etcd', (text, target) => {
    expect(parse(text)).toBe(text)
    expect(etcdTarget(text)).toMatchObject(target)
  })

  it.each([
    [`etcd://a?${files}`, 'is no address of an etcd'],
    [`etcd+http://[::1]?${files}`, 'is no address of an etcd'],
    [`etcd+https://a/b?${files}`, 'is no address of an etcd'],
    [`etcd+https://a,,b?${files}`, "names '', which is no HOST:PORT"],
    [`etcd+https://a:0?${files}`, "names 'a:0'"],
    [`etcd+https://[a]?${files}`, "names '[a]'"],
    [`etcd+https://192.0.2.1:2379?${files}`, 'IPv6 alone'],
    [`etcd+https://${Array(17).fill('a').join()}?${files}`, 'names more than 16 members'],
    ['etcd+https://a,b', 'lacks the files of a client certificate'],
    ['etcd+https://a,b?cert=/etc/own.crt', 'lacks the files of a client certificate'],
    [`etcd+https://a?${files}&insecure=yes`, 'has the parameter insecure']
  ])('%s does not', (text, problem) => {
    expect(problemOf(text)).toContain(problem)
  })

  it('of an etcd names no user, and the message about one does not tell its password', () => {
    const problem = problemOf(`etcd+https://u:kept-secret@a?${files}`)
    expect(problem).toContain('has a user in it')
    expect(problem).not.toContain('kept-secret')
  })

  it('holds no password, and the message about one does not tell it', () => {
    const problem = problemOf('postgres://u:kept-secret@db/log')
    expect(problem).toContain('TRUSTNET_ROOT_STORE_PASSWORD_FILE')
    expect(problem).not.toContain('kept-secret')
    expect(problemOf('postgres://u@a,b:kept-secret@c/log')).not.toContain('kept-secret')
  })

  it('is for a root and its candidates', () => {
    expect(problemOf('postgres://u@db/log', 'integrated')).toContain('is of no use with role: integrated')
    expect(problemOf('postgres://u@db/log', 'root')).toContain('taken')
  })
})
