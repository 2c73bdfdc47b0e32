import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { parseConfig } from '../../src/node/config/index.ts'
import { createLogging, type Logging } from '../../src/node/logging.ts'
import { TrustNode } from '../../src/node/node.ts'
import type { NodeOptions } from '../../src/node/node-interface.ts'
import { createNetworkHere } from '../../src/node/offline/create-network.ts'
import type { InviteOptions } from '../../src/registry/admission/invites.ts'
import { decodeInvite, encodeInvite, type Invite } from '../../src/registry/objects/invite.ts'
import { ceilingMs } from './ceiling.ts'

export type Flags = Readonly<Record<string, unknown>>

export type TestNetworkOptions = Pick<NodeOptions, 'clock' | 'portWaitMs' | 'reload'>

/** A network of real nodes in this process, on loopback, each with its own folder, database and port. */
export class TestNetwork implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'trustnet-net-'))
  readonly nodes: TrustNode[] = []
  readonly logs: string[] = []
  networkId = ''
  readonly #common: Flags
  readonly #options: TestNetworkOptions
  #invites = 0

  constructor(common: Flags = {}, options: TestNetworkOptions = {}) {
    this.#common = common
    this.#options = options
  }

  /** Makes the network and starts its root. */
  static async create(common: Flags = {}, options: TestNetworkOptions = {}): Promise<TestNetwork> {
    const network = new TestNetwork({ 'admission.policy': 'open', ...common }, options)
    const { config } = network.config('root', { role: 'root' })
    network.networkId = (await createNetworkHere(config, { newNetwork: true })).networkId
    await network.start('root', { role: 'root' })
    return network
  }

  config(name: string, flags: Flags = {}) {
    return parseConfig(this.processInit(name, flags))
  }

  /** What `parseConfig` is given, here or in another process. */
  processInit(name: string, flags: Flags = {}) {
    const homes = { config: this.folder, data: join(this.folder, 'data'), runtime: join(this.folder, 'run') }
    return {
      env: {},
      homes,
      flags: {
        name,
        domain: 'net.test',
        'listen.port': 0,
        'announce.allow': ['loopback'],
        'heartbeat.interval': '3s',
        'heartbeat.timeout': '2s',
        // Nobody answers there, at once: what is tested here does without DNS.
        'bootstrap.dnsServers': ['[::1]:1'],
        'bootstrap.dnsTimeout': '500ms',
        ...(this.networkId === '' ? {} : { networkId: this.networkId }),
        ...this.#common,
        ...flags
      }
    }
  }

  logging(name: string): Logging {
    const output = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.logs.push(chunk.toString())
        done()
      }
    })
    return createLogging({ node: name, level: 'debug', format: 'json', output })
  }

  make(name: string, flags: Flags = {}, options: TestNetworkOptions = {}): TrustNode {
    const { config } = this.config(name, flags)
    const node = new TrustNode({ config, logging: this.logging(name), control: false, ...this.#options, ...options })
    this.nodes.push(node)
    return node
  }

  async start(name: string, flags: Flags = {}): Promise<TrustNode> {
    const node = this.make(name, flags)
    await node.start()
    return node
  }

  /** An invite by the root, as the joiner decodes it from its line. */
  async invite(options: InviteOptions): Promise<Invite> {
    const { registry, config } = this.node('root')
    const { grant, inviteKey } = await registry.admission.invite(options)
    const registries = [
      { publicKey: this.node('root').key.publicKey, addrs: [...this.node('root').attached.announced] }
    ]
    return decodeInvite(
      encodeInvite({ domain: config.domain ?? '', networkId: registry.networkId, registries, grant, inviteKey })
    )
  }

  /** The same as a file with the line in it, for a node that starts with it. */
  async inviteFile(options: InviteOptions): Promise<string> {
    const path = join(this.folder, `invite-${this.#invites++}`)
    writeFileSync(path, encodeInvite(await this.invite(options)), { mode: 0o600 })
    return path
  }

  /** Starts a node that knows the root's address and waits until it is a member with a session. */
  async join(name: string, flags: Flags = {}): Promise<TrustNode> {
    const node = this.make(name, { 'bootstrap.peers': [this.address('root')], ...flags })
    if (flags['role'] === 'secondary') node.invites.use(await this.invite({ role: 'secondary' }))
    await node.start()
    await node.joined({ signal: AbortSignal.timeout(ceilingMs) })
    return node
  }

  node(name: string): TrustNode {
    const node = this.nodes.findLast(({ config }) => config.name === name)
    if (node === undefined) throw new Error(`no node ${name}`)
    return node
  }

  /** With the PeerId at its end. */
  address(name: string): string {
    const node = this.node(name)
    return `/ip6/::1/tcp/${node.attached.port}/p2p/${node.peerId}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop('the test is over')))
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Waits until the condition holds. One that takes long to ask, a command for instance, is asked less often: it would keep the CPU from what is waited for. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  ms = ceilingMs,
  about: () => unknown = () => ''
): Promise<void> {
  const deadline = performance.now() + ms
  for (;;) {
    const asked = performance.now()
    if (await condition()) return
    const now = performance.now()
    if (now > deadline) throw new Error(`not within ${ms} ms: ${condition.toString()}${String(about())}`)
    await new Promise((resolve) => setTimeout(resolve, Math.min(Math.max(20, now - asked), 500)))
  }
}
