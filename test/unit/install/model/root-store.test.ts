import { describe, expect, it, test } from 'vitest'
import { layoutOf } from '../../../../src/install/model/layout.ts'
import { rootStoreActions, rootStoreCheck } from '../../../../src/install/model/root-store.ts'
import { configValues } from '../../../../src/install/plan/config-values.ts'
import { type Given, resolveAnswers } from '../../../../src/install/plan/resolve-answers.ts'
import { unitText } from '../../../../src/install/plan/unit.ts'

const url = 'postgres://trustnet@db.example.org/trustnet'
const etcd = 'etcd+https://a.example.org?cert=/etc/etcd.crt&key=/etc/etcd.key'
const rootOf = (given: Given) =>
  resolveAnswers({ name: 'one', domain: 'example.org', role: 'root', rootStore: url, ...given })
const installOf = (given: Given) => ({ answers: rootOf(given), layout: layoutOf('one'), version: '1.2.3' })

describe('an engine that keeps the log of the root', () => {
  it('is in the configuration, and its password among the credentials of the unit alone', () => {
    const install = installOf({ rootStorePasswordFile: '/root/db.password' })
    expect(configValues(install.answers, '')).toMatchObject({ 'root.store': url })
    expect(unitText(install)).toContain('\nLoadCredential=trustnet-root-store-password:/root/db.password\n')
    expect(unitText(installOf({}))).not.toContain('LoadCredential')
    expect(rootStoreActions(install)).toEqual([])
  })

  it('that is an etcd has its client key given to the user of the node', () => {
    expect(rootStoreActions(installOf({ rootStore: etcd }))).toMatchObject([
      { run: ['chown', '--no-dereference', 'trustnet-one:trustnet-one', '/etc/etcd.key'] }
    ])
  })

  it('has the log key written by the user of the node, at a machine that is to take the place of the root', () => {
    const given = { role: 'secondary' as const, network: 'tn7tmrm3czhvs2vpdyyox7fnbgn6mfpyjj75u2ajg3c7bmaxvo5uoq' }
    const actions = rootStoreActions(installOf({ ...given, logKeyFile: '/root/log.key' }))
    expect(actions).toMatchObject([
      { run: ['sh', '-c', expect.any(String), '/root/log.key', 'trustnet-one', expect.any(String)] }
    ])
  })

  const network = 'tn7tmrm3czhvs2vpdyyox7fnbgn6mfpyjj75u2ajg3c7bmaxvo5uoq'
  test.each<[string, Given, RegExp]>([
    ['a password in it', { rootStore: 'postgres://u:secret@db/x' }, /--root-store has a password in it/],
    ['no such engine', { rootStore: 'mysql://u@db/x' }, /--root-store is no address of a database/],
    ['sqlite', { rootStore: 'sqlite' }, /leave it out/],
    ['a relative path', { rootStorePasswordFile: 'db.password' }, /whole path/],
    ['a password for an etcd', { rootStore: etcd, rootStorePasswordFile: '/p' }, /for PostgreSQL/],
    ['a log key for a new root', { logKeyFile: '/root/log.key' }, /a new root makes its own/],
    ['no log key for a candidate', { role: 'secondary', network }, /--log-key is missing/],
    ['a node', { role: 'integrated', network, logKeyFile: '/k' }, /for a root and for secondaries/],
    ['a container', { deployment: 'docker' }, /for --deployment systemd/],
    ['a file for no engine', { rootStore: undefined, rootStorePasswordFile: '/p' }, /goes with --root-store/]
  ])('is refused with %s', (_, given, words) => {
    expect(() => rootOf(given)).toThrow(words)
  })

  it('that is a PostgreSQL needs its client among the packages of the program', () => {
    const store = rootOf({}).rootStore
    const program = (carries: boolean) => ({ carries: () => carries })
    expect(rootStoreCheck(store, program(false))).toMatchObject([
      { level: 'fail', fix: expect.stringMatching(/release/) }
    ])
    expect(rootStoreCheck(store, program(true))).toEqual([])
    expect(rootStoreCheck(rootOf({ rootStore: etcd }).rootStore, program(false))).toEqual([])
  })
})
