import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync } from 'node:fs'
import { resolve as absolute, join } from 'node:path'
import { loadKey } from '../../src/identity/key-file.ts'
import { peerIdText } from '../../src/identity/keys.ts'
import { dataFiles } from '../../src/node/config/paths.ts'
import { freePort } from '../helpers/free-port.ts'
import type { RootKeys } from './promises.ts'

const program = absolute('dist/bin/trustnet.js')
const name = 'root'
const often = '100000/1s'

/** What one peer may ask for is no limit here: the registry is to be at work whenever it is killed. */
const lifted = Object.fromEntries(
  ['PUTS', 'REQUESTS', 'REGISTERS', 'OPENS', 'FRAMES', 'STRANGER_JOINS', 'UNINVITED_JOINS'].map((each) => [
    `TRUSTNET_PROTOCOLS_REGISTER_${each}`,
    often
  ])
)

/** `trustnet registry start` of a network made by `trustnet init`, in a folder; it can be killed and started again. */
export class RootProgram {
  readonly keys: RootKeys
  readonly networkId: string
  readonly #env: Record<string, string>
  readonly #log: string
  readonly #port: number
  #child: ChildProcess | undefined
  #ended: Promise<unknown> = Promise.resolve()

  private constructor(folder: string, port: number) {
    this.#port = port
    this.#log = join(folder, 'root.log')
    this.#env = {
      TRUSTNET_HOME: join(folder, 'home'),
      TRUSTNET_LISTEN_HOST: '::1',
      TRUSTNET_LISTEN_PORT: String(port),
      TRUSTNET_ANNOUNCE_ALLOW: 'loopback',
      TRUSTNET_BACKUP_ENABLED: 'false',
      TRUSTNET_BOOTSTRAP_DNS_SERVERS: '[::1]:1',
      ...lifted
    }
    const init = ['init', '--name', name, '--domain', 'faults.test', '--policy', 'open', '--new-network', '--json']
    const made: { networkId: string } = JSON.parse(
      execFileSync(process.execPath, [program, ...init], { encoding: 'utf8', env: { ...process.env, ...this.#env } })
    )
    this.networkId = made.networkId
    const data = join(folder, 'home', 'data', name)
    this.keys = { nodeKey: loadKey(join(data, 'node.key')), logKey: loadKey(dataFiles(data).logKey) }
  }

  static async make(folder: string): Promise<RootProgram> {
    return new RootProgram(folder, await freePort())
  }

  /** Path of its store, below the folder it was made in. */
  static readonly store = join('home', 'data', name, 'registry.db')

  /** With the PeerId at its end. */
  get address(): string {
    return `/ip6/::1/tcp/${this.#port}/p2p/${peerIdText(this.keys.nodeKey.publicKey)}`
  }

  start(): void {
    const log = openSync(this.#log, 'a')
    this.#child = spawn(process.execPath, [program, 'registry', 'start'], {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...this.#env }
    })
    this.#ended = once(this.#child, 'close')
  }

  /** kill -9; resolves when it is gone. @throws when it had ended by itself */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    this.#child = undefined
    const byItself = child.exitCode
    child.kill('SIGKILL')
    await this.#ended
    if (byItself !== null) throw new Error(`the root ended with ${byItself}:\n${this.log()}`)
  }

  /** The end of what it logged. */
  log(): string {
    return readFileSync(this.#log, 'utf8').split('\n').slice(-20).join('\n')
  }
}
