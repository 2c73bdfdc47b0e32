import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../../test/helpers/free-port.ts'
import { certify } from '../../test/helpers/servers/certificates.ts'
import { SkippedError } from './benchmark.ts'

const startMs = 30_000

/** The etcd of Debian with one member, its data on the same disk and its own durability; it takes clients with a certificate alone. */
export interface EtcdServer {
  /** For `root.store`. */
  readonly url: string
  readonly port: number
  readonly child: ChildProcess
}

export async function startEtcdServer(folder: string): Promise<EtcdServer> {
  if (spawnSync('etcd', ['--version']).status !== 0) {
    throw new SkippedError('etcd is not installed: apt-get install etcd-server')
  }
  await certify(folder)
  const file = (name: string): string => join(folder, name)
  const port = await freePort()
  const [client, peer] = [`https://[::1]:${port}`, `http://[::1]:${await freePort()}`]
  const child = spawn(
    'etcd',
    [
      '--name=bench',
      `--data-dir=${file('etcd')}`,
      ...['listen-client-urls', 'advertise-client-urls'].map((flag) => `--${flag}=${client}`),
      ...['listen-peer-urls', 'initial-advertise-peer-urls'].map((flag) => `--${flag}=${peer}`),
      `--initial-cluster=bench=${peer}`,
      `--cert-file=${file('member.crt')}`,
      `--key-file=${file('member.key')}`,
      `--trusted-ca-file=${file('ca.crt')}`,
      '--client-cert-auth'
    ],
    { stdio: 'ignore', env: { ...process.env, ETCD_UNSUPPORTED_ARCH: process.arch } }
  )
  for (const deadline = performance.now() + startMs; performance.now() < deadline; await pause(100)) {
    if (await isHealthy(folder, port)) {
      const files = `cacert=${file('ca.crt')}&cert=${file('client.crt')}&key=${file('client.key')}`
      return { url: `etcd+https://[::1]:${port}?${files}`, port, child }
    }
  }
  child.kill('SIGKILL')
  throw new Error('etcd did not become healthy')
}

/** Certificates of a client in that folder. */
export const clientFiles = (folder: string): { ca: Buffer; cert: Buffer; key: Buffer } => ({
  ca: readFileSync(join(folder, 'ca.crt')),
  cert: readFileSync(join(folder, 'client.crt')),
  key: readFileSync(join(folder, 'client.key'))
})

async function isHealthy(folder: string, port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const asked = request({ host: '::1', port, path: '/health', ...clientFiles(folder) }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    asked.on('error', () => resolve(false))
    asked.end()
  })
}
