import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import type { HostNetwork } from './host-network.ts'

const script = resolve('test/hosts/slow-link.py')

/**
 * Puts a slow wire between a host and the switch: what goes through is late by `delayMs`, each way. It has interfaces of its own at the
 * switch, so that cuts by the names of ports do not see it. Disposing of it takes it out again.
 */
export class SlowLink implements AsyncDisposable {
  readonly #stop: () => Promise<void>

  private constructor(stop: () => Promise<void>) {
    this.#stop = stop
  }

  static async insert(network: HostNetwork, host: string, delayMs: number, jitterMs: number): Promise<SlowLink> {
    const port = network.portOf(host)
    const [bridge, near, far] = ['b', 'n', 'f'].map((kind) => `${kind}${port}`)
    const ip = (...args: string[]): void => {
      execFileSync('ip', ['-n', network.switchNamespace, ...args], { stdio: 'pipe' })
    }
    const command = ['netns', 'exec', network.switchNamespace, 'python3', script, `${delayMs}`, `${jitterMs}`]
    const child = spawn('ip', [...command, String(near), String(far)], { stdio: ['pipe', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    ip('link', 'add', String(bridge), 'type', 'bridge', 'forward_delay', '0', 'mcast_snooping', '0')
    for (const name of [port, near]) ip('link', 'set', String(name), 'master', String(bridge), 'up')
    ip('link', 'set', String(far), 'master', 'br0', 'up')
    ip('link', 'set', String(bridge), 'up')
    return new SlowLink(async () => {
      child.stdin.end()
      await once(child, 'exit')
      ip('link', 'set', port, 'master', 'br0', 'up')
      ip('link', 'del', String(bridge))
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop()
  }
}
