import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import { ceilingMs } from '../ceiling.ts'
import { freePort } from '../free-port.ts'
import { certify } from './certificates.ts'

const program = '/usr/bin/etcd'

/** Debian's etcd-server is here. */
export const hasEtcd = existsSync(program)

interface Member {
  readonly name: string
  readonly clientPort: number
  readonly peerPort: number
  child: ChildProcess | undefined
  ended: Promise<void> | undefined
}

/** A real etcd on [::1], each member in a process and a folder of its own; it speaks to nobody without a certificate of its authority. */
export class EtcdCluster implements AsyncDisposable {
  readonly folder: string
  readonly #members: readonly Member[]
  readonly #extra: readonly string[]

  private constructor(folder: string, members: readonly Member[], extra: readonly string[]) {
    this.folder = folder
    this.#members = members
    this.#extra = extra
  }

  /** `extra`: further arguments of each member. */
  static async start(count: number, extra: readonly string[] = []): Promise<EtcdCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'trustnet-etcd-'))
    const members: Member[] = []
    for (let i = 0; i < count; i++) {
      const ports = { clientPort: await freePort(), peerPort: await freePort() }
      members.push({ name: `m${i}`, ...ports, child: undefined, ended: undefined })
    }
    const cluster = new EtcdCluster(folder, members, extra)
    try {
      await certify(folder)
      for (const i of members.keys()) cluster.up(i)
      await cluster.isReady()
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
    return cluster
  }

  /** For `root.store`. `hosts`: other places to ask than the members. */
  url(hosts = this.#members.map(({ clientPort }) => `[::1]:${clientPort}`)): string {
    return `etcd+https://${hosts.join()}?cacert=${this.file('ca.crt')}&cert=${this.file('client.crt')}&key=${this.file('client.key')}`
  }

  clientPort(i: number): number {
    return this.#at(i).clientPort
  }

  file(name: string): string {
    return join(this.folder, name)
  }

  up(i: number): void {
    const member = this.#at(i)
    const child = spawn(program, this.#arguments(member), { stdio: 'ignore', env: { PATH: process.env['PATH'] } })
    member.child = child
    member.ended = new Promise((resolve) => child.once('exit', () => resolve()))
  }

  /** Ends it as a power cut would. */
  async kill(i: number): Promise<void> {
    this.#at(i).child?.kill('SIGKILL')
    await this.#at(i).ended
  }

  freeze(i: number): void {
    this.#at(i).child?.kill('SIGSTOP')
  }

  thaw(i: number): void {
    this.#at(i).child?.kill('SIGCONT')
  }

  /** A change is taken. */
  async isReady(): Promise<void> {
    const look = async (): Promise<void> => {
      for (const i of this.#members.keys()) await this.ask(i, '/v3/kv/put', { key: 'cmVhZHk=', value: '' })
    }
    await vi.waitFor(look, { timeout: ceilingMs, interval: 50 })
  }

  /** Index of the leader, as member i knows it. */
  async leader(i: number): Promise<number> {
    const { leader } = await this.ask(i, '/v3/maintenance/status', {})
    const ids: unknown[] = []
    for (const each of this.#members.keys()) {
      const { header } = await this.ask(each, '/v3/maintenance/status', {})
      ids.push(typeof header === 'object' && header !== null && 'member_id' in header ? header.member_id : undefined)
    }
    return ids.indexOf(leader)
  }

  /** Deletes what stands below a key. */
  async clear(): Promise<void> {
    const [key, rangeEnd] = ['/', '0'].map((text) => Buffer.from(text).toString('base64'))
    await this.ask(0, '/v3/kv/deleterange', { key, range_end: rangeEnd })
  }

  /** Value of the key of the log that ends so, as long as one network is kept. */
  async stored(name: string): Promise<string | undefined> {
    const { kvs } = await this.ask(0, '/v3/kv/range', { key: 'Lw==', range_end: 'MA==' })
    const text = (base64: unknown): string => Buffer.from(String(base64), 'base64').toString()
    const found = (Array.isArray(kvs) ? kvs : []).find(({ key }) => text(key).endsWith(`/${name}`))
    return found === undefined ? undefined : text(found.value)
  }

  /** Copy of all keys but those that belong to a lease, as long as one network is kept. Gives what brings it back. */
  async copy(): Promise<() => Promise<void>> {
    const { kvs } = await this.ask(0, '/v3/kv/range', { key: 'Lw==', range_end: 'MA==' })
    const kept = (Array.isArray(kvs) ? kvs : []).filter(({ lease }) => lease === undefined)
    return async () => {
      await this.clear()
      for (const { key, value } of kept) await this.ask(0, '/v3/kv/put', { key, value })
    }
  }

  /** Every lease of etcd is over. */
  async endLeases(): Promise<void> {
    const { leases } = await this.ask(0, '/v3/lease/leases', {})
    for (const each of Array.isArray(leases) ? leases : []) await this.ask(0, '/v3/lease/revoke', { ID: each.ID })
  }

  /** Forgets the past, gives its room back, and goes on after the alarm. */
  async makeRoom(): Promise<void> {
    const { header } = await this.ask(0, '/v3/kv/range', { key: 'YQ==' })
    const revision = typeof header === 'object' && header !== null && 'revision' in header ? header.revision : ''
    await this.ask(0, '/v3/kv/compaction', { revision, physical: true })
    for (const i of this.#members.keys()) await this.ask(i, '/v3/maintenance/defragment', {})
    const { alarms } = await this.ask(0, '/v3/maintenance/alarm', {})
    for (const { memberID, alarm } of Array.isArray(alarms) ? alarms : [])
      await this.ask(0, '/v3/maintenance/alarm', { action: 'DEACTIVATE', memberID, alarm })
  }

  /** An answer of the gateway of member i. */
  async ask(i: number, path: string, body: object): Promise<Record<string, unknown>> {
    const read = (name: string): string => readFileSync(this.file(name), 'utf8')
    const tls = { ca: read('ca.crt'), cert: read('client.crt'), key: read('client.key') }
    const at = { host: '::1', port: this.clientPort(i), path, method: 'POST', ...tls }
    const signal = AbortSignal.timeout(ceilingMs)
    return await new Promise((resolve, reject) => {
      const asked = request({ ...at, signal }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => (text += part))
        response.on('error', reject)
        response.on('end', () => (response.statusCode === 200 ? resolve(JSON.parse(text)) : reject(new Error(text))))
      })
      asked.on('error', reject)
      asked.end(JSON.stringify(body))
    })
  }

  #at(i: number): Member {
    const member = this.#members[i]
    if (member === undefined) throw new Error(`no member ${i}`)
    return member
  }

  #arguments({ name, clientPort, peerPort }: Member): string[] {
    const [client, peer] = [`https://[::1]:${clientPort}`, `https://[::1]:${peerPort}`]
    const files = ['', 'peer-'].flatMap((kind) => [
      `--${kind}cert-file=${this.file('member.crt')}`,
      `--${kind}key-file=${this.file('member.key')}`,
      `--${kind}trusted-ca-file=${this.file('ca.crt')}`,
      `--${kind}client-cert-auth`
    ])
    return [
      `--name=${name}`,
      `--data-dir=${this.file(name)}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=${this.#members.map((each) => `${each.name}=https://[::1]:${each.peerPort}`).join()}`,
      ...files,
      ...this.#extra
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const i of this.#members.keys()) await this.kill(i)
    rmSync(this.folder, { recursive: true, force: true })
  }
}
