import type { DrillName } from './names.ts'
import { everybody, residents, type Stage } from './stage.ts'

export interface Drill {
  readonly description: string
  /** Members that are let in while it lasts. */
  readonly newcomers: readonly string[]
  readonly needsCut: boolean
  run(stage: Stage, signal: AbortSignal): Promise<void>
}

const newcomer = 'node-4'
const otherNewcomer = 'node-5'
const others = everybody.filter((name) => name !== 'root')

/** Targets in seconds: what docs/reliability.md promises for networks of up to 100 nodes. */
const seconds = { killed: 1, cut: 5, failover: 5, back: 30, join: 10, healed: 60, alarm: 60, setUp: 60 }

const rootDown: Drill = {
  description: 'the root is killed, and comes back',
  newcomers: [newcomer],
  needsCut: false,
  async run({ network, watch }, signal) {
    await network.invite(newcomer, signal)
    await watch.spread(others)
    watch.begin()
    await network.kill('root')
    await watch.peers('every member shows the root as down, and why', seconds.killed, others, (rows) =>
      rows.areDown(['root'])
    )
    await watch.status(
      'every node holds its lease at another registry',
      seconds.failover,
      residents,
      ({ registry }) => {
        return registry.lease !== null && registry.lease.name !== 'root'
      }
    )
    watch.begin()
    await network.enter(newcomer, signal)
    await watch.status('a newcomer is told that it waits for the root', seconds.join, [newcomer], ({ membership }) => {
      return membership.state === 'pending'
    })
    watch.begin()
    network.restart('root')
    await watch.peers('everybody shows everybody online, the newcomer too', seconds.back, everybody, (rows) =>
      rows.are('online', [...everybody, newcomer])
    )
  }
}

const dnsDown: Drill = {
  description: 'nobody answers for the domain any more',
  newcomers: ['node-1', newcomer],
  needsCut: false,
  async run({ network, watch }, signal) {
    await network.invite('node-1', signal)
    const here = everybody.filter((name) => name !== 'node-1')
    watch.begin()
    await network.stopDns()
    await watch.peers('everybody still shows everybody online', seconds.killed, here, (rows) =>
      rows.are('online', here)
    )
    await network.kill('node-2')
    watch.begin()
    network.restart('node-2')
    await watch.peers('a node that restarts is back', seconds.join, here, (rows) => rows.are('online', here))
    watch.begin()
    await network.enter('node-1', signal)
    await watch.peers('a newcomer with an invite is in', seconds.join, everybody, (rows) =>
      rows.are('online', everybody)
    )
    await network.enter(newcomer, signal)
    watch.begin()
    await watch.status('a newcomer with nothing but the domain keeps asking', seconds.join, [newcomer], ({ dns }) => {
      return dns.state === 'timeout' || dns.state === 'refused'
    })
    watch.begin()
    await network.startDns()
    await watch.peers('the name server is back, and that newcomer in', seconds.back, everybody, (rows) =>
      rows.are('online', [...everybody, newcomer])
    )
  }
}

const withRoot = ['root', 'node-1'] as const
const withSecondary = ['secondary', 'node-2', 'node-3'] as const

const partition: Drill = {
  description: 'root and one node on one side, secondary and the other nodes on the other one',
  newcomers: [newcomer],
  needsCut: true,
  async run(stage, signal) {
    const { network, watch } = stage
    await network.invite(newcomer, signal)
    await watch.spread(withSecondary)
    watch.begin()
    stage.cut([[...withRoot], [...withSecondary, newcomer]])
    await watch.peers('the side with the root shows the other one as down', seconds.cut, withRoot, (rows) =>
      rows.areGone(withSecondary)
    )
    await watch.peers('and the other way round', seconds.cut, withSecondary, (rows) => rows.areGone(withRoot))
    await watch.status('every node holds a lease on its own side', seconds.failover, ['node-2', 'node-3'], (status) => {
      return status.registry.lease?.name === 'secondary'
    })
    watch.begin()
    await network.enter(newcomer, signal)
    await watch.status('a newcomer on the side without the root waits for it', seconds.join, [newcomer], (status) => {
      return status.membership.state === 'pending'
    })
    watch.begin()
    stage.heal()
    await watch.peers('healed: everybody shows everybody online', seconds.healed, everybody, (rows) =>
      rows.are('online', [...everybody, newcomer])
    )
    const head = (await watch.statusOf('root'))?.sync.head ?? 0
    await watch.status('and every replica has the whole log', seconds.healed, [...everybody, newcomer], ({ sync }) => {
      return (sync.head ?? -1) >= head
    })
  }
}

const registryLies: Drill = {
  description: 'a copy of the root admits others than the root does, behind a cut',
  newcomers: [newcomer, otherNewcomer],
  needsCut: true,
  async run(stage, signal) {
    const { network, watch } = stage
    stage.cut([
      [...withRoot, newcomer],
      [...withSecondary, otherNewcomer, 'impostor']
    ])
    await stage.deceive([...withSecondary, otherNewcomer])
    watch.begin()
    await Promise.all([network.enter(newcomer, signal), network.enter(otherNewcomer, signal)])
    await watch.status(
      'root and impostor each admit a newcomer',
      seconds.setUp,
      [newcomer, otherNewcomer],
      (status) => {
        return status.membership.state === 'member'
      }
    )
    await stage.undeceive()
    watch.begin()
    stage.heal()
    await watch.status('every member raises the alarm log_fork', seconds.alarm, everybody, ({ warnings }) => {
      return warnings.some(({ code }) => code === 'log_fork')
    })
  }
}

export const drills: Readonly<Record<DrillName, Drill>> = {
  'root-down': rootDown,
  'dns-down': dnsDown,
  partition,
  'registry-lies': registryLies
}
