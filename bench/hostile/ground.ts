import type { ChildProcess } from 'node:child_process'
import { resolve } from 'node:path'
import { attackerPrefix, threeSites } from '../../test/hosts/network/three-sites.ts'
import { Child } from '../harness/child.ts'
import type { Flags } from '../harness/network.ts'
import type { AttackerMethods } from '../processes/attacker.ts'
import type { RootAddress } from '../processes/root.ts'
import type { Tally } from './attack.ts'

type Counts = Pick<Tally, 'sent' | 'met' | 'who'>

/** Where the processes run, and the attacker among them. */
export interface Ground extends AsyncDisposable {
  /** Flags of every node. */
  readonly flags: Flags
  /** Namespaces of the victims and of whoever is honest; undefined: this one. */
  readonly victims: string | undefined
  readonly honest: string | undefined
  begin(name: string, target: RootAddress): Promise<void>
  /** Stops the attack; gives what it came to. */
  end(): Promise<Counts>
}

/** All on ::1, which has no limits per /64: members attack. One attack after the other. */
export class Loopback implements Ground {
  readonly flags = {}
  readonly victims = undefined
  readonly honest = undefined
  readonly #attacker = new Child<AttackerMethods>('attacker')

  async begin(name: string, target: RootAddress): Promise<void> {
    await this.#attacker.call('begin', name, target)
  }

  async end(): Promise<Counts> {
    return await this.#attacker.call('end')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#attacker[Symbol.asyncDispose]()
  }
}

const port = 8000
const loops = 300

/** Three sites with a /64 each: strangers of one of them connect without end and say nothing. */
export function sites(): Ground {
  const network = threeSites()
  let attacker: ChildProcess | undefined
  return {
    flags: { 'listen.host': '::', 'announce.allow': ['ula'] },
    victims: network.host('root').namespace,
    honest: network.host('good').namespace,
    begin: async (_name, { address }) => {
      const [, , host = '', , at = String(port)] = address.split('/')
      const script = resolve('dist/test/hosts/silent-sockets.js')
      attacker = network.start('bad', 'bad', [process.execPath, script, host, at, attackerPrefix, String(loops)])
    },
    end: async () => {
      attacker?.kill('SIGKILL')
      const begun = Number(network.log('bad', 'bad').trim().split('\n').at(-1))
      return { sent: new Map([['connections of one /64', begun]]), met: new Map(), who: new Set() }
    },
    [Symbol.asyncDispose]: async () => network[Symbol.dispose]()
  }
}
