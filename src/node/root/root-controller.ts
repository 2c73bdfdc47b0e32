import { equals } from 'uint8arrays/equals'
import { peerIdText, type SigningKey } from '../../identity/keys.ts'
import { isRegistryRole } from '../../identity/role.ts'
import type { Root } from '../../registry/log/log-writer.ts'
import type { Member } from '../../registry/log/state/network-state.ts'
import type { RegistryRow } from '../../registry/log/state/rows.ts'
import { sealRenewRequest } from '../../registry/objects/renew-request.ts'
import type { Registry } from '../../registry/registry.ts'
import type { RestoredFrom } from '../../registry/store/node-values.ts'
import { inBackground } from '../../runtime/background.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import type { Running, Supervisor } from '../../runtime/supervisor.ts'
import { dataFiles } from '../config/paths.ts'
import type { Config } from '../config/schema.ts'
import type { NetworkParts } from '../network-parts.ts'
import { EphemeralEnds } from './end-ephemeral.ts'
import { destroyPastLogKeys } from './log-key.ts'

export interface RootControllerInit {
  network: NetworkParts
  config: Config
  key: SigningKey
  logger: Logger
  /** This process appended, or heard what others hold, a moment ago: nobody can hold more of the log than it. */
  goesOn: boolean
}

/** A secondary is told to everybody only after it has been up for so long. */
const stableMs = 10_000
const lookMs = 1_000
/** An ephemeral member that is there answers a dial within this time. */
const answerMs = 5_000
/** After a start others may hold more of the log than this root (it was restored, or its disk lied): it listens first. */
const fenceMs = 30_000
const headsWanted = { registries: 1, members: 3 }

export const fenceReason = 'the root has just started and listens for newer heads before it appends: at most 30 s'

export const restoredReason = ({ n, backupMs }: RestoredFrom): string =>
  `this root was restored from a backup of ${new Date(backupMs).toISOString()}, which ends at entry ${n}: it waits for the heads of ` +
  "all registries, or of three members where it knows none, or for the operator's word, before it appends"

const replacedCode = 'root_replaced'

/** Raised also by a root that learns of its end while it runs. */
export const raiseReplaced = (registry: Registry, next: string): void =>
  registry.alarms.raise(
    replacedCode,
    `epoch ${registry.replica.head.epoch} has another root, this process was it before: ${next}; set role: secondary in its configuration`
  )

/** Ends the alarm on a machine that was promoted again: its advice would make the root a secondary. */
export const noLongerReplaced = ({ alarms }: Registry): void => {
  if (alarms.list().some(({ code, acknowledged }) => code === replacedCode && !acknowledged))
    alarms.acknowledge(replacedCode)
}

/** Duties of a root besides admitting: it hears others out after a start, enters stable secondaries, and renews itself. */
export class RootController {
  readonly #init: RootControllerInit
  readonly #root: Root | undefined
  readonly #stableMs: number
  readonly #stops: (() => void)[] = []
  readonly #ephemeral: EphemeralEnds
  #looking: Running | undefined
  /** The root appends nothing yet. */
  #isListening = false
  #isReplaced = false
  /** The log has this process as the root. */
  #isInPlace = false
  /** The store says that it was restored. */
  #isRestored = false

  constructor(init: RootControllerInit) {
    this.#init = init
    this.#root = init.network.registry.root
    const { network, logger } = init
    this.#ephemeral = new EphemeralEnds({ registry: network.registry, answers: this.#answers, logger })
    // A network with short heartbeats is one on a single machine, which need not wait for a slow link to settle.
    this.#stableMs = Math.min(stableMs, init.config.heartbeat.intervalMs / 3)
  }

  start(services: Supervisor): void {
    if (this.#root === undefined) return
    const { logger } = this.#init
    const { restored, replica } = this.#init.network.registry
    for (const type of ['reset', 'entries'] as const) {
      replica.events.addEventListener(type, this.#onLog)
      this.#stops.push(() => replica.events.removeEventListener(type, this.#onLog))
    }
    const { events } = this.#init.network.registry
    events.addEventListener('admitted', this.#onAdmitted)
    this.#stops.push(() => events.removeEventListener('admitted', this.#onAdmitted))
    const looking = services.run('root', {
      everyMs: lookMs,
      firstMs: 0,
      round: () => this.#look(),
      onFailed: (error) => {
        logger.warn({ error: String(error) }, 'the root could not append to its log; it is tried again in a second')
        return undefined
      }
    })
    this.#looking = looking
    this.#stops.push(() => inBackground(looking.stop(), 'ending the duties of a root'))
    if (restored === undefined) this.#hearOthers(this.#root)
    else this.#waitRestored(this.#root, restored)
  }

  /** A connection is there, or can be made. */
  readonly #answers = async ({ publicKey }: Member): Promise<boolean> => {
    const { trust, peers, registry } = this.#init.network
    for (const { connection, member } of trust.members())
      if (connection.status === 'open' && equals(member.publicKey, publicKey)) return true
    const record = registry.records.read(publicKey)
    if (record === undefined || record.reach === 'outbound' || record.addrs.length === 0) return false
    const target = { publicKey, addrs: record.addrs, isRegistry: false }
    return await (peers?.connect(target, AbortSignal.timeout(answerMs)) ?? Promise.resolve()).then(
      () => true,
      () => false
    )
  }

  readonly #onAdmitted = ({ detail }: CustomEvent<{ publicKey: Uint8Array }>): void => {
    const { network, logger } = this.#init
    const { registry } = network
    const member = registry.replica.state.member(detail.publicKey)
    const alike = member === undefined ? [] : registry.namesLike(member.name)
    if (alike.length === 0) return
    logger.warn(
      { peer: peerIdText(detail.publicKey), name: member?.name, looksLike: alike },
      'the name of a new member looks like that of another one: people may take them for each other'
    )
  }

  /** A new epoch, perhaps: then another machine was made the root while this one was away or cut off. */
  readonly #onLog = (): void => {
    if (this.#root?.isReplaced !== true || this.#isReplaced) return
    this.#isReplaced = true
    const { config, network, logger } = this.#init
    destroyPastLogKeys(dataFiles(config.paths.data).logKey, network.registry.replica, logger)
    raiseReplaced(this.#init.network.registry, 'it appends nothing any more, and a restart makes it a secondary')
  }

  /** Enough others have shown their heads. */
  get hasHeard(): boolean {
    return this.#heardEnough()
  }

  /** Somebody's head was heard, perhaps. */
  changed(): void {
    if (this.#isListening && this.#root !== undefined && this.#heardEnough()) this.#release(this.#root)
  }

  /** An operator answers for it that nobody holds more of the log than this root, which was restored. */
  resume(): void {
    if (this.#root !== undefined) this.#release(this.#root)
  }

  stop(): void {
    for (const stop of this.#stops) stop()
  }

  /** Waits without end: whoever was admitted after the backup may hold more of the log, and nobody here knows of them. */
  #waitRestored(root: Root, restored: RestoredFrom): void {
    this.#isRestored = true
    const reason = restoredReason(restored)
    root.fence(reason)
    this.#init.logger.warn({ head: restored.n, epoch: restored.epoch }, reason)
    this.#isListening = true
    this.changed()
  }

  #hearOthers(root: Root): void {
    const { network, logger } = this.#init
    const alone = network.registry.replica.state.memberCount <= 1
    this.#isListening = true
    if (alone || this.#init.goesOn) {
      this.#release(root)
      return
    }
    logger.info({}, fenceReason)
    const timer = setTimeout(() => this.#release(root), fenceMs).unref()
    this.#stops.push(() => clearTimeout(timer))
    this.changed()
  }

  #heardEnough(): boolean {
    const { heads, registry } = this.#init.network
    const { state } = registry.replica
    const heard = [...heads.heard.values()]
    if (this.#isRestored) {
      const others = state.registries().filter(({ publicKey }) => !equals(publicKey, this.#init.key.publicKey))
      // One of them may hold something back. Members that joined after the backup are unknown here: three of those that are known.
      if (others.length === 0) return heard.length >= headsWanted.members
      return others.every(({ publicKey }) => heads.heard.has(peerIdText(publicKey)))
    }
    if (heard.filter(isRegistryRole).length >= headsWanted.registries) return true
    // In a small network all others.
    return heard.length >= Math.min(headsWanted.members, state.memberCount - 1)
  }

  #release(root: Root): void {
    if (!this.#isListening) return
    this.#isListening = false
    root.release()
    this.#looking?.wake()
  }

  async #look(): Promise<void> {
    if (this.#root === undefined || this.#root.refusal !== undefined) return
    await this.#forgetRestored()
    if (this.#root.isElected) await this.#takePlace(this.#root)
    await this.#root.reissueRevokes()
    for (const { publicKey, role } of this.#renewedRegistries()) {
      await this.#root.append([{ kind: 'registrySet', body: { publicKey, role, removed: false } }])
    }
    for (const publicKey of this.#stableSecondaries()) await this.#enter(this.#root, publicKey)
    await this.#renewSelf()
    await this.#ephemeral.look()
    // Requests that were queued while this process was a secondary.
    const { network, logger } = this.#init
    const { admission } = network.registry
    if (admission.queued > 0) await admission.replayQueue()
    const count = await admission.letInWaiting()
    if (count > 0) logger.info({ count }, 'joins that waited were let in, as the policy asks for no word any more')
  }

  /** Enters this process as the root, in the place of the one whose lease is over. */
  async #takePlace(root: Root): Promise<void> {
    const { publicKey } = this.#init.key
    // Brings the store to the head of the database first.
    if (!this.#isInPlace) await root.checkpoint()
    const roots = this.#init.network.registry.replica.state.registries().filter(({ role }) => role === 'root')
    const former = roots.filter((row) => !equals(row.publicKey, publicKey))
    this.#isInPlace = true
    if (former.length === 0 && roots.length > 0) return
    const bodies = former.map((row) => ({ publicKey: row.publicKey, role: 'secondary' as const, removed: false }))
    await root.append(
      [...bodies, { publicKey, role: 'root' as const, removed: false }].map((body) => ({
        kind: 'registrySet' as const,
        body
      }))
    )
  }

  /** Only now, with all that others held: a restart before would have to wait for them again. */
  async #forgetRestored(): Promise<void> {
    if (!this.#isRestored) return
    const { network } = this.#init
    await network.registry.trustRestored()
    this.#isRestored = false
    await network.self.ensure()
  }

  /** Registries with another key than the one that was entered, which newcomers are shown, and the root of a new epoch. */
  #renewedRegistries(): RegistryRow[] {
    const { network, key } = this.#init
    const { state, head } = network.registry.replica
    // Whatever a key of the past has said of the root is over.
    const forkN = state.forkPoint(head.epoch)?.forkN ?? 0
    const isOld = ({ publicKey, n }: RegistryRow): boolean => equals(publicKey, key.publicKey) && n <= forkN
    return state.registries().filter((row) => row.n < (state.member(row.publicKey)?.admitN ?? 0) || isOld(row))
  }

  #stableSecondaries(): Uint8Array[] {
    const { replica, liveness } = this.#init.network.registry
    const stable: Uint8Array[] = []
    for (const { publicKey, role } of replica.state.members()) {
      if (role !== 'secondary' || replica.state.registry(publicKey) !== undefined) continue
      const { state, own, sinceAgeMs = 0 } = liveness.view(publicKey)
      if (state === 'online' && own && sinceAgeMs >= this.#stableMs) stable.push(publicKey)
    }
    return stable
  }

  async #enter(root: Root, publicKey: Uint8Array): Promise<void> {
    await root.append([{ kind: 'registrySet', body: { publicKey, role: 'secondary', removed: false } }])
    const name = this.#init.network.registry.replica.state.member(publicKey)?.name ?? ''
    this.#init.logger.info(
      { peer: peerIdText(publicKey) },
      `the secondary ${name} is entered into the registry set: add its address to the tnr record`
    )
  }

  /** Nobody else can renew the root. */
  async #renewSelf(): Promise<void> {
    const { network, key } = this.#init
    const { replica, admission, networkId } = network.registry
    const self = replica.state.member(key.publicKey)
    if (self === undefined || self.notAfterMs - replica.timeMs > replica.state.policy.membershipMs / 2) return
    const request = sealRenewRequest({ networkId, publicKey: key.publicKey, notAfterMs: self.notAfterMs }, key)
    await admission.renew(request.bytes, key.publicKey)
  }
}
