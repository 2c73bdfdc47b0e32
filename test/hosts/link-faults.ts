import { execFileSync } from 'node:child_process'
import type { HostNetwork } from './host-network.ts'

const table = 'faults'

/** Makes the switch of a network drop frames: what was sent is not delivered, and nobody is told. */
export class LinkFaults {
  readonly #network: HostNetwork

  constructor(network: HostNetwork) {
    this.#network = network
    this.#nft(`table bridge ${table} { chain forward { type filter hook forward priority 0; }; }`)
  }

  /** Hosts of different sides do not hear each other. A host of no side hears all. */
  cut(...sides: readonly (readonly string[])[]): void {
    for (const from of sides) for (const to of sides) if (from !== to) this.oneWay(from, to)
  }

  /** What `from` sends does not reach `to`; the other way goes on. */
  oneWay(from: readonly string[], to: readonly string[]): void {
    this.#drop(`iifname ${this.#ports(from)} oifname ${this.#ports(to)}`)
  }

  /** That share of all frames is lost, each judged by itself. */
  lose(percent: number): void {
    this.#drop(`numgen random mod 100 < ${percent}`)
  }

  heal(): void {
    this.#nft(`flush table bridge ${table}`)
  }

  #drop(match: string): void {
    this.#nft(`add rule bridge ${table} forward ${match} drop`)
  }

  #ports(hosts: readonly string[]): string {
    return `{ ${hosts.map((name) => `"${this.#network.portOf(name)}"`).join(', ')} }`
  }

  #nft(input: string): void {
    execFileSync('ip', ['netns', 'exec', this.#network.switchNamespace, 'nft', '-f', '-'], { input, stdio: 'pipe' })
  }
}
