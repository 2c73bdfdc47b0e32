import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { networkIdText } from '../../../src/identity/network-id.ts'
import { etcdTarget } from '../../../src/node/config/field-types/etcd-url.ts'
import { EtcdRootLog } from '../../../src/node/root/store/etcd/etcd-root-log.ts'
import { refusalOf } from '../../helpers/log-network.ts'
import { certify } from '../../helpers/servers/certificates.ts'
import { attack, control } from '../attack.ts'

const networkId = new Uint8Array(32).fill(7)
const folder = mkdtempSync(join(tmpdir(), 'trustnet-false-etcd-'))
const file = (name: string): string => join(folder, name)
const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString('base64')
const key = (name: string): string => base64(`/trustnet/${networkIdText(networkId)}/v1/${name}`)

/** Text of an answer, or what is done in its place. */
type Given = string | ((response: ServerResponse) => void)

const head = { epoch: 0, n: 5, hash: 'ab'.repeat(32) }
const range = (...kvs: readonly object[]): object => ({ response_range: { kvs } })
/** Values of the log's keys, as one look at them has them. */
const look = ({ term = '{"term":1,"holder":"a"}', at = JSON.stringify(head), batch = [] as object[] } = {}): string =>
  JSON.stringify({
    succeeded: true,
    responses: [
      range({ key: key('term'), value: base64(term) }),
      range({ key: key('head'), value: base64(at) }),
      range({ key: key('checkpoint'), value: base64('signed') }),
      range(),
      range(...batch)
    ]
  })
const batchOf = (name: string, value = base64('')): string =>
  JSON.stringify({ kvs: [{ key: key(`log/${name}`), value }] })
const one = `${'5'.padStart(16, '0')}-${'5'.padStart(16, '0')}-00000008`

const endless = (response: ServerResponse): void => {
  const more = (): void => {
    while (response.write(' '.repeat(65_536)));
  }
  response.on('drain', more)
  more()
}

/** Answers of a false etcd to whoever looks at the log. */
const states: readonly (readonly [string, Given])[] = [
  ['blanks without an end', endless],
  ['nothing', () => {}],
  ['a head and then nothing', (response) => response.write('{')],
  ['a closed connection', (response) => response.destroy()],
  ['a page', '<html></html>'],
  ['null', 'null'],
  ['a list', '[]'],
  ['depth', `${'['.repeat(200_000)}${']'.repeat(200_000)}`],
  ['a number for a text', '{"responses":[{"response_range":{"kvs":[{"key":5}]}}]}'],
  ['bytes that are none', '{"responses":[{"response_range":{"kvs":[{"key":"%%%","value":"YQ=="}]}}]}'],
  ['a term below zero', look({ term: '{"term":-1,"holder":"a"}' })],
  ['a term beyond all numbers', look({ term: '{"term":1e300,"holder":"a"}' })],
  ['a holder of 1 MiB', look({ term: `{"term":1,"holder":"${'a'.repeat(1_048_576)}"}` })],
  ['a head of half a hash', look({ at: JSON.stringify({ ...head, hash: 'ab' }) })],
  ['a head that is no JSON', look({ at: 'entry 5' })],
  ['a batch of another network', look({ batch: [{ key: base64(`/trustnet/other/v1/log/${one}`), value: '' }] })],
  [
    'a batch that ends before it begins',
    look({ batch: [{ key: key(`log/${'1'.padStart(16, '0')}-${'2'.padStart(16, '0')}-00000008`) }] })
  ]
]

/** Answers to whoever asks for entries. */
const pages: readonly (readonly [string, Given])[] = [
  ['an entry that is cut short', batchOf(one, base64(Uint8Array.of(0, 0, 0, 200, 1)))],
  ['a length of 4 GiB', batchOf(one, base64(Uint8Array.of(255, 255, 255, 255, 1)))],
  ['a million entries of no byte', batchOf(one, base64(new Uint8Array(1_000_000)))],
  ['two entries in the place of one', batchOf(one, base64(Uint8Array.of(0, 0, 0, 1, 1, 0, 0, 0, 1, 1)))],
  ['no entry in its place', batchOf(one)],
  ['a key that is none', batchOf('5')]
]

describe('who answers in the place of an etcd, with a certificate of its authority', () => {
  let given: Given = ''
  let port = 0
  let stop: () => Promise<void> = async () => {}

  beforeAll(async () => {
    await certify(folder)
    const [cert, ca] = [readFileSync(file('member.crt')), readFileSync(file('ca.crt'))]
    const tls = { key: readFileSync(file('member.key')), cert, ca, requestCert: true }
    const server = createServer(tls, (_, response) => {
      if (typeof given === 'string') response.end(given)
      else given(response)
    })
    server.listen({ host: '::1', port: 0, ipv6Only: true })
    await once(server, 'listening')
    const bound = server.address()
    port = typeof bound === 'object' && bound !== null ? bound.port : 0
    stop = async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  })

  afterAll(async () => {
    await stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const openLog = (): EtcdRootLog => {
    const target = etcdTarget(
      `etcd+https://[::1]:${port}?cacert=${file('ca.crt')}&cert=${file('client.crt')}&key=${file('client.key')}`
    )
    if ('problem' in target) throw new Error(target.problem)
    const brief = { attemptMs: 1000, totalMs: 1000 }
    return new EtcdRootLog({ target, networkId, leaseMs: 3000, patience: { ask: brief, append: brief } })
  }

  control('what is of the right form is taken', async () => {
    await using log = openLog()
    given = look()
    await expect
      .poll(async () => await log.state().catch(String))
      .toMatchObject({ head: { n: 5 }, lease: { holder: 'a', term: 1 } })
    given = batchOf(one, base64(Uint8Array.of(0, 0, 0, 4, 1, 2, 3, 4)))
    await expect
      .poll(async () => await log.read(4).catch(String))
      .toEqual([{ n: 5, envelope: Uint8Array.of(1, 2, 3, 4) }])
  })

  attack('gives answers without an end, of another form or of another network', async () => {
    await using log = openLog()
    for (const [name, answer] of states) {
      given = answer
      expect([name, await refusalOf(log.state())]).toEqual([name, 'UnavailableError'])
    }
    for (const [name, answer] of pages) {
      given = answer
      expect([name, await refusalOf(log.read(4))]).toEqual([name, 'UnavailableError'])
    }
    return {
      happened: `${states.length + pages.length} answers: each is an error of the root's store, none ends the process or is kept`,
      held: 'an answer has a deadline, 4 MiB and one form; keys and values are of this network and say what they hold'
    }
  })

  attack('answers an append with something else than what became of it', async () => {
    await using log = openLog()
    const batch = {
      after: { epoch: 0, n: 4, hash: new Uint8Array(32) },
      entries: [{ n: 5, envelope: Uint8Array.of(1) }],
      head: { epoch: 0, n: 5, hash: new Uint8Array(32).fill(1) },
      checkpoint: Uint8Array.of(1)
    }
    const answers = ['{"succeeded":"yes"}', '[]', 'no']
    for (const answer of answers) {
      given = answer
      await expect
        .poll(async () => await refusalOf(log.append({ holder: 'a', term: 1 }, batch)))
        .toBe('OutcomeUnknownError')
    }
    return {
      happened: `${answers.length} answers: none is taken for yes or no`,
      held: 'an append counts when etcd says so in the due form, else the log is read back'
    }
  })
})
