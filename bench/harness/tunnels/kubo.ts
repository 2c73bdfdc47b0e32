import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { endProcesses, freePort, listens, type Tunnel } from './tunnel.ts'

/** A daemon of kubo that knows nobody. */
interface Daemon {
  readonly child: ChildProcess
  run(...argv: string[]): string
}

const run = (env: NodeJS.ProcessEnv, argv: readonly string[]): string =>
  execFileSync('ipfs', argv, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()

function isInstalled(): boolean {
  try {
    run(process.env, ['version'])
    return true
  } catch {
    return false
  }
}

async function startDaemon(folder: string): Promise<Daemon> {
  const env = { ...process.env, IPFS_PATH: folder }
  // Its profile for tests: any ports of the loopback, no bootstrap, no multicast DNS.
  run(env, ['init', '--profile=test'])
  run(env, ['config', '--json', 'Experimental.Libp2pStreamMounting', 'true'])
  const child = spawn('ipfs', ['daemon'], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  const ready = Promise.withResolvers<void>()
  const ended = once(child, 'exit')
  ended.then(() => ready.reject(new Error('the daemon of kubo has ended')), ready.reject)
  createInterface(child.stdout).on('line', (line) => {
    if (line.includes('Daemon is ready')) ready.resolve()
  })
  await ready.promise
  return { child, run: (...argv) => run(env, argv) }
}

/** Starts `ipfs p2p forward` to ports of this machine, between two daemons; undefined: `ipfs` is not in PATH. */
export async function startKubo(parent: string, to: readonly number[]): Promise<Tunnel | undefined> {
  if (!isInstalled()) return undefined
  const children: ChildProcess[] = []
  try {
    const [server, client] = [await startDaemon(join(parent, 'kubo-1')), await startDaemon(join(parent, 'kubo-2'))]
    children.push(server.child, client.child)
    const [address = ''] = server.run('swarm', 'addrs', 'local', '--id').split('\n')
    client.run('swarm', 'connect', address)
    const id = server.run('id', '-f', '<id>')
    const ports: number[] = []
    for (const [at, port] of to.entries()) {
      const mine = await freePort()
      server.run('p2p', 'listen', `/x/bench-${at}`, `/ip6/::1/tcp/${port}`)
      client.run('p2p', 'forward', `/x/bench-${at}`, `/ip6/::1/tcp/${mine}`, `/p2p/${id}`)
      await listens(mine, client.child)
      ports.push(mine)
    }
    return { ports, [Symbol.asyncDispose]: async () => await endProcesses(children) }
  } catch (error) {
    await endProcesses(children)
    throw error
  }
}
