import { equals } from 'uint8arrays/equals'
import type { SigningKey } from '../../src/identity/keys.ts'
import type { IssuedInvite } from '../../src/registry/admission/invites.ts'
import type { Forward, RootRequest } from '../../src/registry/admission/root-request-queue.ts'
import { sealDelegation } from '../../src/registry/log/log-writer.ts'
import type { Registry } from '../../src/registry/registry.ts'
import { UnavailableError } from '../../src/runtime/errors.ts'
import { Audit, type Position } from './audit.ts'
import { type Life, Machine } from './machine.ts'
import { goodWeather, Network } from './network.ts'
import type { Peer } from './peer.ts'
import { Random } from './random.ts'
import { keyNumber, keys, others, type Stage } from './stage.ts'
import { SyncLink } from './sync-link.ts'
import { World } from './world.ts'

/** How long a registry waits for the root's answer, and a machine at most until it is back after a crash. */
const answerMs = 10_000
const restartMs = 20_000
/** Streams at the same time. */
const maxLinks = 12

/** What the product may answer when nothing is wrong with it; anything else is a defect. */
const refusals = new Set([
  'InviteExpiredError',
  'InviteInvalidError',
  'InviteUsedError',
  'LogMismatchError',
  'NameTakenError',
  'NotMemberError',
  'NotRootError',
  'PendingError',
  'RevokedError',
  'StaleRecordError',
  'UnavailableError'
])
/** Also when a bit was turned on the way. */
const damages = new Set(['InvalidEnvelopeError', 'InvalidPayloadError', 'MalformedFrameError', 'WrongNetworkError'])

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : String(error))

/** One network under one seed: its machines, its peers, and what they were told. */
export class Simulation {
  readonly random: Random
  readonly world: World
  readonly network: Network
  readonly audit = new Audit()
  readonly machines: Machine[]
  readonly peers: Peer[] = []
  readonly trace: string[] = []
  /** Where each new epoch branched off. */
  readonly forks: Position[] = []
  readonly networkId: Uint8Array
  corruption = 0
  /** The newest that was issued. */
  invite: IssuedInvite | undefined
  root: Machine
  readonly #replaying = new WeakSet<Life>()
  #links: SyncLink[] = []

  constructor(stage: Stage, seed: number, folder: string) {
    this.random = new Random(seed)
    this.world = new World(this.random)
    this.network = new Network(this.world)
    this.networkId = stage.networkId
    const common = { world: this.world, folder, forward: this.#forward, onStart: this.#started }
    const root = {
      ...common,
      name: 'root',
      key: keys.root,
      role: 'root',
      logKey: keys.log,
      template: stage.root
    } as const
    this.root = new Machine(root)
    this.machines = [this.root, ...others.map((init) => new Machine({ ...common, ...init, template: stage.empty }))]
  }

  note(what: string): void {
    this.trace.push(`${this.world.now} ${what}`)
  }

  readonly #started = (machine: Machine, life: Life): void => {
    this.note(`${machine.name} starts at ${life.registry.replica.head.epoch}:${life.registry.replica.head.n}`)
    this.audit.follow(machine, life)
    life.registry.events.addEventListener('checkpoint', ({ detail }) =>
      this.#tellHead(machine, detail.checkpoint.bytes)
    )
    life.registry.replica.events.addEventListener('entries', ({ detail }) => {
      for (const { value } of detail.entries) {
        if (value.kind === 'end') this.#forgetShown((peer) => equals(peer.key.publicKey, value.body.publicKey))
      }
    })
    life.registry.replica.events.addEventListener('reset', () =>
      this.#forgetShown(({ shown }) => shown?.at === machine.name)
    )
    life.registry.events.addEventListener('record', ({ detail }) => this.#gossip(machine, detail.record.bytes))
  }

  /** A record ends with its membership. */
  #forgetShown(isOver: (peer: Peer) => boolean): void {
    for (const peer of this.peers) if (isOver(peer)) peer.shown = undefined
  }

  start(machine: Machine): void {
    this.world.begin(() => machine.start())
  }

  /** The machine is down, and comes back by itself. */
  crashed(machine: Machine): void {
    this.note(`${machine.name} crashed`)
    this.world.after(this.random.below(restartMs) + 1, () => this.start(machine))
  }

  running(): Machine[] {
    return this.machines.filter(({ process }) => process !== undefined)
  }

  /** A refusal that must not be is a defect. */
  judge(what: string, error: unknown, isDamaged = false): void {
    const name = nameOf(error)
    this.note(`${what}: ${name}`)
    if (refusals.has(name) || (isDamaged && damages.has(name))) return
    throw new Error(`${what} failed: ${name}`, { cause: error })
  }

  pull(client: Machine, server: Machine, subscribe: boolean): void {
    this.#links = this.#links.filter(({ isOpen }) => isOpen)
    if (client === server || this.#links.length >= maxLinks) return
    const { corruption, network, random } = this
    const onEnd = (error: unknown, wasCorrupted: boolean): void => {
      if (error !== undefined) this.judge(`${client.name} follows ${server.name}`, error, wasCorrupted)
    }
    const link = SyncLink.open({ network, random, client, server, subscribe, corruption, onEnd })
    if (link !== undefined) this.#links.push(link)
  }

  /** One at a time: a second replay would wait for the first, which waits for the network. */
  replay(machine: Machine): void {
    const life = machine.process
    if (life === undefined || this.#replaying.has(life)) return
    this.#replaying.add(life)
    machine.call(
      (registry) => registry.admission.replayQueue(),
      (outcome) => {
        this.#replaying.delete(life)
        if (outcome.status === 'rejected') this.judge(`the queue of ${machine.name}`, outcome.reason)
      }
    )
  }

  #tellHead(from: Machine, bytes: Uint8Array): void {
    const to = this.random.pick(this.machines)
    if (to === from) return
    this.network.spread(from, to, () => {
      to.call(
        (registry) => registry.replica.observe(bytes),
        (outcome) => {
          if (outcome.status === 'rejected') this.judge(`${to.name} hears of a head`, outcome.reason)
          else if (outcome.value === 'newer') this.pull(to, from, false)
        }
      )
    })
  }

  #gossip(from: Machine, bytes: Uint8Array): void {
    const to = this.random.pick(this.machines)
    if (to === from) return
    this.network.spread(from, to, () => {
      to.call(
        (registry) => registry.records.put(bytes, { source: 'gossip' }),
        (outcome) => {
          if (outcome.status === 'rejected') this.judge(`${to.name} hears of a record`, outcome.reason)
        }
      )
    })
  }

  /** How `from` asks the root: over the network, and without an answer there was no root. */
  readonly #forward =
    (from: Machine): Forward =>
    (request) => {
      const { promise, resolve, reject } = Promise.withResolvers<{ entry: Uint8Array }>()
      const { network, root, world } = this
      world.after(answerMs, () => reject(new UnavailableError('no answer', answerMs)))
      network.send(
        from,
        root,
        () => {
          root.call(
            (registry) => decide(registry, request),
            (outcome) => {
              const answer = (): void =>
                outcome.status === 'fulfilled' ? resolve(outcome.value) : reject(outcome.reason)
              network.send(root, from, answer, () => {})
            }
          )
        },
        () => {}
      )
      return promise
    }

  /** The authority makes a secondary the root; what it does not hold of the log is void. */
  promote(machine: Machine, losesOld: boolean): void {
    const old = this.root
    const registry = machine.process?.registry
    if (registry === undefined || registry.replica.head.epoch !== this.forks.length) return
    this.root = machine
    const logKey: SigningKey = keyNumber(100 + this.forks.length)
    const delegation = sealDelegation(registry.replica, keys.authority, logKey.publicKey)
    const fork = { epoch: delegation.value.epoch, n: delegation.value.n - 1 }
    this.forks.push(fork)
    this.note(
      `${machine.name} is promoted: epoch ${fork.epoch} from ${fork.n}${losesOld ? ', the old disk is lost' : ''}`
    )
    this.#forgetVoid(registry)
    if (losesOld) {
      old.isLost = true
      old.crash()
    }
    machine.spare()
    this.world.begin(async () => {
      await registry.replica.apply([delegation.bytes])
      await machine.stop()
      machine.role = 'root'
      machine.logKey = logKey
      await machine.start()
    })
  }

  /** True when a new epoch has cut it off. */
  isVoid({ epoch, n }: Position): boolean {
    return this.forks.some((fork) => epoch < fork.epoch && n > fork.n)
  }

  #forgetVoid({ replica }: Registry): void {
    for (const peer of this.peers) {
      if (peer.admitted !== undefined && this.isVoid(peer.admitted)) peer.admitted = undefined
      if (peer.revoked !== undefined && this.isVoid(peer.revoked)) peer.revoked = undefined
      if (peer.ended !== undefined && this.isVoid(peer.ended)) peer.ended = undefined
      if (replica.state.member(peer.key.publicKey) === undefined) peer.shown = undefined
    }
  }

  /** Something happens, and all that holds always must hold. */
  async step(): Promise<void> {
    await this.world.step()
    for (const machine of this.machines) this.audit.check(machine)
  }

  calm(): void {
    this.network.weather = goodWeather
    this.network.cut([])
    this.corruption = 0
    for (const link of this.#links) link.break()
    for (const machine of this.machines) machine.spare()
  }

  async dispose(): Promise<void> {
    for (const machine of this.machines) await machine.dispose()
  }
}

const decide = async ({ admission }: Registry, request: RootRequest): Promise<{ entry: Uint8Array }> =>
  await admission.decide(request)
