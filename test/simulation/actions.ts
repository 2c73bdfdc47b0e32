import type { IssuedInvite } from '../../src/registry/admission/invites.ts'
import type { Registry } from '../../src/registry/registry.ts'
import type { Position } from './audit.ts'
import type { Machine } from './machine.ts'
import { Peer } from './peer.ts'
import type { Simulation } from './simulation.ts'
import { keyNumber } from './stage.ts'

const maxPeers = 10
const hourMs = 3_600_000
const weeksMs = 15 * 24 * hourMs
/** Fewer names than peers: some want the same one. */
const names = 8

/** How often each thing is tried. */
export const weights = {
  join: 16,
  record: 14,
  pull: 14,
  subscribe: 3,
  checkpoint: 5,
  replay: 4,
  renew: 2,
  revoke: 1,
  forget: 1,
  end: 1,
  rename: 1,
  crash: 2,
  crashSoon: 5,
  cut: 2,
  heal: 3,
  weather: 2,
  clockStep: 2,
  weeks: 0.4,
  compact: 1.5,
  promote: 0.5
} satisfies Record<string, number>

export type Action = keyof typeof weights
type Run = (simulation: Simulation) => void

/** A peer, an old one or a new one, with an invite of its own or without. */
const withPeer = (simulation: Simulation, then: (peer: Peer) => void): void => {
  const { networkId, peers, random, root } = simulation
  if (peers.length >= maxPeers || (peers.length > 0 && random.chance(0.5))) {
    then(random.pick(peers))
    return
  }
  const number = peers.length
  const key = keyNumber(1000 + number)
  const add = (invite: IssuedInvite | undefined): void => {
    const peer = new Peer(`peer-${number % names}`, key, networkId, invite)
    peers.push(peer)
    then(peer)
  }
  if (!random.chance(0.4)) {
    add(undefined)
    return
  }
  // Two with one invite: only one of them may come in.
  const { invite } = simulation
  if (invite !== undefined && random.chance(0.5)) {
    add(invite)
    return
  }
  root.call(
    (registry) => registry.admission.invite({ role: 'integrated' }),
    (outcome) => {
      if (outcome.status === 'rejected') simulation.judge('an invite', outcome.reason)
      else if (peers.length === number) {
        simulation.invite = outcome.value
        add(outcome.value)
      }
    }
  )
}

/** A request of somebody outside, to a machine and back; only what comes back counts. */
const ask = <T>(
  simulation: Simulation,
  what: string,
  machine: Machine,
  work: Parameters<typeof machine.call<T>>[0],
  answered: (value: T) => void
): void => {
  const { network, random } = simulation
  const lost = (): void => simulation.note(`${what} at ${machine.name}: lost`)
  const deliver = (): void => {
    machine.call(work, (outcome) => {
      if (outcome.status === 'rejected') {
        simulation.judge(`${what} at ${machine.name}`, outcome.reason)
        return
      }
      if (random.chance(network.weather.loss)) {
        lost()
        return
      }
      simulation.note(`${what} at ${machine.name}: done`)
      answered(outcome.value)
    })
  }
  network.send(undefined, machine, deliver, lost)
}

/** Something that the operator of the root does with a member; gives where its membership ended. */
const change = (
  simulation: Simulation,
  what: string,
  work: (registry: Registry, peer: Peer) => Promise<Position | undefined>
): void => {
  const { peers, random, root } = simulation
  const members = peers.filter(({ admitted }) => admitted !== undefined)
  if (members.length === 0) return
  const peer = random.pick(members)
  root.call(
    (registry) => work(registry, peer),
    (outcome) => {
      if (outcome.status === 'fulfilled') {
        simulation.note(`${what}: ${peer.name}`)
        if (outcome.value !== undefined) peer.ended = later(peer.ended, outcome.value)
      } else if ((outcome.reason as Error).name !== 'NotFoundError') simulation.judge(what, outcome.reason)
    }
  )
}

const later = (a: Position | undefined, b: Position): Position => (a === undefined || a.n < b.n ? b : a)

export const actions: Record<Action, Run> = {
  join: (simulation) => {
    withPeer(simulation, (peer) => {
      const machine = simulation.random.pick(simulation.machines)
      ask(
        simulation,
        `join of ${peer.name}`,
        machine,
        (registry) => registry.admission.join(peer.join()),
        ({ admit }) => {
          const position = peer.positionOf(admit)
          if (!simulation.isVoid(position)) peer.admitted = later(peer.admitted, position)
        }
      )
    })
  },
  record: (simulation) => {
    const { peers, random } = simulation
    if (peers.length === 0) return
    const peer = random.pick(peers)
    const machine = random.pick(simulation.machines)
    const { bytes, seq } = peer.record()
    const signer = peer.key.publicKey
    ask(
      simulation,
      `record ${seq} of ${peer.name}`,
      machine,
      ({ records }) => records.put(bytes, { signer }),
      () => {
        const epoch = machine.process?.registry.replica.head.epoch
        if (epoch !== simulation.forks.length || seq <= (peer.shown?.seq ?? 0)) return
        peer.shown = { seq, at: machine.name }
      }
    )
  },
  pull: (simulation) => {
    const { machines, random } = simulation
    simulation.pull(random.pick(machines), random.pick(machines), false)
  },
  subscribe: (simulation) => {
    const { machines, random } = simulation
    simulation.pull(random.pick(machines), random.pick(machines), true)
  },
  checkpoint: ({ root }) => root.call(async (registry) => await registry.root?.checkpoint()),
  replay: (simulation) => simulation.replay(simulation.random.pick(simulation.machines)),
  renew: (simulation) => {
    const { machines, peers, random } = simulation
    if (peers.length === 0) return
    const peer = random.pick(peers)
    const machine = random.pick(machines)
    ask(
      simulation,
      `renewal of ${peer.name}`,
      machine,
      ({ admission, replica }) => {
        const notAfterMs = replica.state.member(peer.key.publicKey)?.notAfterMs ?? 1
        return admission.renew(peer.renewal(notAfterMs), peer.key.publicKey)
      },
      () => {}
    )
  },
  revoke: (simulation) => {
    const { peers, random, root } = simulation
    const members = peers.filter(({ admitted }) => admitted !== undefined)
    if (members.length === 0) return
    const peer = random.pick(members)
    root.call(
      async (registry) => {
        await registry.admission.revoke(peer.key.publicKey, 'lost')
        const { head, state } = registry.replica
        const row = state.revoked(peer.key.publicKey)
        return row === undefined ? undefined : { epoch: head.epoch, n: row.n }
      },
      (outcome) => {
        if (outcome.status === 'rejected') {
          if ((outcome.reason as Error).name !== 'NotFoundError') simulation.judge('a revocation', outcome.reason)
        } else if (outcome.value !== undefined) peer.revoked = outcome.value
      }
    )
  },
  forget: (simulation) => {
    const { machines, peers, random } = simulation
    const members = peers.filter(({ admitted }) => admitted !== undefined)
    if (members.length === 0) return
    const peer = random.pick(members)
    const machine = random.pick(machines)
    ask(
      simulation,
      `goodbye of ${peer.name}`,
      machine,
      ({ admission, networkId, replica }) => {
        const membership = replica.state.member(peer.key.publicKey)?.admit.hash ?? networkId
        return admission.forget(peer.goodbye(membership), peer.key.publicKey)
      },
      ({ entry }) => {
        if (entry.length > 0) peer.ended = later(peer.ended, peer.positionOf(entry))
      }
    )
  },
  end: (simulation) => {
    change(simulation, 'a membership that ends', async ({ admission, replica }, { key }) => {
      const { n } = (await admission.members.end(key.publicKey, 'not needed')).value
      return { epoch: replica.head.epoch, n }
    })
  },
  rename: (simulation) => {
    const name = `peer-${simulation.random.below(names)}`
    change(simulation, 'a new name', async ({ admission }, { key }) => {
      await admission.members.change(key.publicKey, { name })
      return undefined
    })
  },
  crash: (simulation) => {
    const running = simulation.running()
    if (running.length === 0) return
    const machine = simulation.random.pick(running)
    machine.crash()
    simulation.crashed(machine)
  },
  crashSoon: (simulation) => {
    const { random } = simulation
    const running = simulation.running()
    if (running.length === 0) return
    const machine = random.pick(running)
    const written = random.chance(0.5) ? 1 : random.next()
    machine.crashSoon(random.below(25), written, () => simulation.crashed(machine))
  },
  cut: (simulation) => {
    const { machines, network, random } = simulation
    network.cut(machines.filter(() => random.chance(0.5)))
    simulation.note('the network is cut in two')
  },
  heal: ({ network }) => network.cut([]),
  weather: ({ network, random }) => {
    network.weather = {
      loss: random.pick([0, 0.02, 0.2]),
      duplication: random.pick([0, 0.3]),
      delayMs: random.pick([5, 500, 5000])
    }
  },
  clockStep: ({ machines, random }) => {
    random.pick(machines).clockOffsetMs += random.pick([-hourMs, hourMs])
  },
  weeks: (simulation) => {
    if (simulation.world.now > 3 * weeksMs) return
    simulation.world.now += weeksMs
    simulation.note('two weeks pass')
  },
  compact: ({ machines, random }) => random.pick(machines).call(({ replica }) => replica.compact()),
  promote: (simulation) => {
    const { machines, random, root } = simulation
    const candidates = machines.filter(({ process, role }) => process !== undefined && role === 'secondary')
    if (simulation.forks.length >= 2 || candidates.length === 0) return
    const losesOld = random.chance(0.5) && machines.filter(({ isLost }) => !isLost).length > 2
    const candidate = random.pick(candidates)
    if (candidate !== root) simulation.promote(candidate, losesOld)
  }
}
