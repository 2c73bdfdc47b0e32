import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { eventually, type Flags, type TestNetwork } from '../network.ts'

/** A node in a process of its own, which can be killed, frozen, and watched to its end. */
export interface NodeProcess extends AsyncDisposable {
  readonly child: ChildProcess
  readonly peerId: string
  readonly port: number
  /** All that it logged so far. */
  log(): string
  /** Ends it without a goodbye. */
  kill(): Promise<void>
  freeze(): void
  thaw(): void
  /** Its event loop stands still for so long. Resolves when it goes on. */
  block(ms: number): Promise<void>
  /** The states that it showed for a member since it started, in order. */
  shown(member: string): string[]
  /** Asks it to stop its node; gives its exit code once it has ended by itself. */
  stop(): Promise<number | null>
}

const program = fileURLToPath(new URL('./node-main.ts', import.meta.url))
const node24 = fileURLToPath(new URL('../../../node_modules/.bin/node', import.meta.url))

/** Starts a node of the network in a process of its own and waits until it has joined. */
export async function spawnNode(network: TestNetwork, name: string, flags: Flags = {}): Promise<NodeProcess> {
  const init = network.processInit(name, { 'bootstrap.peers': [network.address('root')], ...flags })
  const child = spawn(node24, ['--experimental-transform-types', '--no-warnings', program, JSON.stringify(init)], {
    stdio: ['pipe', 'pipe', 'pipe']
  })
  let log = ''
  const joined = Promise.withResolvers<{ peerId: string; port: number }>()
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString()
  })
  child.stdout.on('data', (chunk: Buffer) => {
    log += chunk.toString()
    const line = /^joined (\S+) (\d+)$/m.exec(log)
    if (line !== null) joined.resolve({ peerId: line[1] ?? '', port: Number(line[2]) })
  })
  const ended = once(child, 'close')
  void ended.then(() => joined.reject(new Error(`the process ended before it had joined:\n${log}`)))
  const { peerId, port } = await joined.promise
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  return {
    child,
    peerId,
    port,
    log: () => log,
    kill,
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
    block: async (ms) => {
      const from = log.length
      child.stdin.write(`block ${ms}\n`)
      await eventually(() => log.indexOf('\nawake\n', from - 1) >= 0)
    },
    shown: (member) => [...log.matchAll(new RegExp(`^shows ${member} (\\S+)`, 'gm'))].map(([, state]) => state ?? ''),
    stop: async () => {
      child.stdin.end()
      await ended
      return child.exitCode
    },
    [Symbol.asyncDispose]: kill
  }
}
