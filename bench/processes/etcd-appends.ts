import { randomBytes } from 'node:crypto'
import { Agent, request } from 'node:https'
import { etcdTarget } from '../../src/node/config/field-types/etcd-url.ts'
import { EtcdRootLog } from '../../src/node/root/store/etcd/etcd-root-log.ts'
import type { RootLease } from '../../src/registry/log/root-log/root-log.ts'
import type { Head } from '../../src/registry/log/state/network-state.ts'
import { clientFiles } from '../harness/etcd-server.ts'
import { serveMethods } from '../harness/serve.ts'

const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString('base64')
const checkpointBytes = 300

let agent: Agent | undefined
let port = 0
let n = 0
/** A log of the product, of a network that nobody has. */
let log: { engine: EtcdRootLog; lease: RootLease; at: Head } | undefined

const methods = {
  async connect(folder: string, at: number, url: string): Promise<void> {
    agent = new Agent({ keepAlive: true, ...clientFiles(folder) })
    port = at
    await post({ compare: [], success: [put('bare/term', '1'), put('bare/head', head(n))] })
    const target = etcdTarget(url)
    if ('problem' in target) throw new Error(target.problem)
    const engine = new EtcdRootLog({ target, networkId: randomBytes(32), leaseMs: 3_600_000 })
    const start = { epoch: 0, n: 0, hash: randomBytes(32) }
    const lease = await engine.begin('bench', { head: start, checkpoint: randomBytes(checkpointBytes) })
    if (lease === undefined) throw new Error('the log was begun already')
    log = { engine, lease, at: start }
  },

  /** The same by the product. */
  async appendLog(entries: number, bytes: number, perBatch: number): Promise<number> {
    if (log === undefined) throw new Error('it is not connected')
    const from = performance.now()
    for (let done = 0; done < entries; done += perBatch) {
      const after = log.at
      const items = Array.from({ length: perBatch }, (_, i) => ({ n: after.n + 1 + i, envelope: randomBytes(bytes) }))
      const next = { epoch: 0, n: after.n + perBatch, hash: randomBytes(32) }
      await log.engine.append(log.lease, {
        after,
        entries: items,
        head: next,
        checkpoint: randomBytes(checkpointBytes)
      })
      log.at = next
    }
    return (entries / (performance.now() - from)) * 1000
  },

  /** Entries per second: transactions one after the other, each with the comparisons and puts of an append of so many entries. */
  async append(entries: number, bytes: number, perBatch: number): Promise<number> {
    const from = performance.now()
    for (let done = 0; done < entries; done += perBatch) {
      const compare = [isValue('bare/term', '1'), isValue('bare/head', head(n))]
      n += perBatch
      const batch = put(`bare/log/${String(n).padStart(16, '0')}`, randomBytes(bytes * perBatch))
      const answer = await post({
        compare,
        success: [batch, put('bare/head', head(n)), put('bare/checkpoint', randomBytes(checkpointBytes))]
      })
      if (!answer.includes('"succeeded":true')) throw new Error(`etcd did not append: ${answer}`)
    }
    return (entries / (performance.now() - from)) * 1000
  }
}

const head = (at: number): string => `{"epoch":0,"n":${at},"hash":"${'00'.repeat(32)}"}`
const put = (key: string, value: string | Uint8Array): object => ({
  request_put: { key: base64(key), value: base64(value) }
})
const isValue = (key: string, value: string): object => ({
  key: base64(key),
  target: 'VALUE',
  result: 'EQUAL',
  value: base64(value)
})

async function post(body: object): Promise<string> {
  return await new Promise((resolve, reject) => {
    const asked = request({ agent, host: '::1', port, path: '/v3/kv/txn', method: 'POST' }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('error', reject)
      response.on('end', () => resolve(text))
    })
    asked.on('error', reject)
    asked.end(JSON.stringify(body))
  })
}

export type EtcdAppendsMethods = typeof methods

serveMethods(methods, async () => {
  agent?.destroy()
  await log?.engine[Symbol.asyncDispose]()
})
