import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { equals } from 'uint8arrays/equals'
import type { Role } from '../../src/identity/role.ts'
import { createLogging } from '../../src/node/logging.ts'
import { TrustNode } from '../../src/node/node.ts'
import { isUp, type MemberView } from '../../src/registry/liveness/liveness.ts'
import type { LookupRow } from '../../src/registry/records/lookup.ts'
import { inviteFile } from '../harness/members/invite-file.ts'
import { benchConfig, type Flags } from '../harness/network.ts'
import { serveMethods } from '../harness/serve.ts'
import type { RootAddress } from './root.ts'

/** One node of the product, as `trustnet node start` runs it, without the control socket. */
let node: TrustNode | undefined

const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6
const running = (): TrustNode => {
  if (node === undefined) throw new Error('the node was not started')
  return node
}

/** This node itself needs nobody to say that it is up. */
const isListed = ({ publicKey, record, liveness }: LookupRow): boolean =>
  record !== undefined && (isUp(liveness.state) || equals(publicKey, running().key.publicKey))

/** Members that this node lists as up, with an address: more than `enough` are not counted. */
function listed(enough: number): number {
  const { rows } = running().registry.lookup({ limit: enough + 1 })
  return rows.filter(isListed).length
}

const patienceMs = 120_000

const viewOf = (name: string): MemberView | undefined => {
  const { replica, liveness } = running().registry
  const member = replica.state.memberByName(name)
  return member && liveness.view(member.publicKey)
}

/** Name of the root, as the log has it. */
function root(): string | undefined {
  const state = running().network?.registry.replica.state
  const row = state?.rootRegistry()
  return row && state?.member(row.publicKey)?.name
}

const methods = {
  async start(folder: string, name: string, flags: Flags): Promise<void> {
    const config = benchConfig(folder, name, flags)
    const output = createWriteStream(join(folder, `${name}.log`))
    const logging = createLogging({ node: name, level: 'info', format: 'json', output })
    node = new TrustNode({ config, logging, control: false })
    await node.start()
  },

  /** Resolves when it is a member with a session: what it prints as ready. Gives when (machine clock, ms). */
  async ready(): Promise<number> {
    await running().joined({ signal: AbortSignal.timeout(60_000) })
    return machineMs()
  },

  /** Resolves when it holds the lease of the log, has its place in it, and may append. */
  async isRoot(): Promise<void> {
    const isSo = (): boolean => {
      const registry = running().network?.registry
      return registry?.root !== undefined && registry.root.refusal === undefined && root() === running().config.name
    }
    await running().until(isSo, AbortSignal.timeout(patienceMs))
  },

  /** Resolves when it has heard enough of what others hold to append at once, should it become the root. */
  async hasHeard(): Promise<void> {
    await running().until(() => running().duties?.hasHeard === true, AbortSignal.timeout(patienceMs))
  },

  async inviteFile(folder: string, name: string, role: Role): Promise<string> {
    return await inviteFile(running(), folder, name, role)
  },

  /** Resolves when the log that this node has names that one as the root. Gives when. */
  async namesRoot(name: string): Promise<number> {
    await running().until(() => root() === name, AbortSignal.timeout(patienceMs))
    return machineMs()
  },

  /** What it raised since it started, by code. */
  alarms(): string[] {
    return running()
      .registry.alarms.list()
      .map(({ code }) => code)
  },

  address(): RootAddress {
    const { port } = running().attached
    return { address: `/ip6/::1/tcp/${port}/p2p/${running().peerId}`, port, networkId: running().registry.networkId }
  },

  /** Resolves when this node shows the member as down, and why. Gives when. */
  async showsDown(name: string): Promise<number> {
    await running().until(
      () => ['suspect', 'offline'].includes(viewOf(name)?.state ?? ''),
      AbortSignal.timeout(patienceMs)
    )
    if (viewOf(name)?.reason === '') throw new Error(`no reason is shown why ${name} is down`)
    return machineMs()
  },

  async showsOnline(name: string): Promise<void> {
    await running().until(() => viewOf(name)?.state === 'online', AbortSignal.timeout(patienceMs))
  },

  /** Resolves when so many members are listed as up. Gives when. */
  async lists(members: number): Promise<number> {
    await running().until(() => listed(members) >= members, AbortSignal.timeout(patienceMs))
    return machineMs()
  }
}

export type NodeMethods = typeof methods

serveMethods(methods, async () => await node?.stop('the benchmark is over'))
