import type { Connection } from '@libp2p/interface'
import { isRelayed } from '../../address/circuit.ts'
import { type Role, servesRegistry } from '../../identity/role.ts'
import { grantIdShown, openJoin } from '../../registry/objects/join.ts'
import { maxCosignatures } from '../../registry/witness/held-words.ts'
import {
  InvalidPayloadError,
  NotMemberError,
  PendingError,
  RevokedError,
  StaleRecordError
} from '../../runtime/errors.ts'
import { isFailedProof } from '../../runtime/failures.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { statuses } from '../engine/status.ts'
import type { ConnectionTrust } from '../engine/trust/connection-trust.ts'
import { prefixesOf } from '../engine/trust/eviction.ts'
import { done, none, toldOf } from './answers.ts'
import type { RegisterBackend, SessionLease } from './backend.ts'
import { newerCheckpoint } from './newer-checkpoint.ts'
import type {
  Answer,
  Deregister,
  ForwardJoin,
  HandOver,
  Heartbeat,
  HeartbeatAnswer,
  PutRecord,
  RegisterAnswer,
  RegisterRequest,
  RotateKey
} from './pb/register.ts'
import type { RegisterRates, RequestKind, StrangerProof } from './rate-limits.ts'
import { untilAdmitted } from './until-admitted.ts'

const instanceBytes = 16
const multiaddrP2p = 421

export interface ActionsInit {
  backend: RegisterBackend
  trust: ConnectionTrust
  rates: RegisterRates
  limits: ProtocolLimits['register']
  connection: Connection
  remoteKey: Uint8Array
  remoteId: string
  /** A checkpoint that the peer showed, newer than that of this registry or with words of witnesses. */
  onCheckpoint: (checkpoint: Uint8Array, cosignatures: readonly Uint8Array[]) => void
}

/** The requests that one peer can make of a registry, without the stream that it asks on. Everything throws the error that the answer tells. */
export class SessionActions {
  readonly #init: ActionsInit
  #lease: SessionLease | undefined
  /** Envelope of the newest checkpoint that both sides have. */
  #shown: Uint8Array | undefined

  constructor(init: ActionsInit) {
    this.#init = init
  }

  get lease(): SessionLease | undefined {
    return this.#lease
  }

  /** The lease goes to nobody: another session of the peer took over. */
  dropLease(): void {
    this.#lease = undefined
  }

  /** Before a frame is decoded: those that ask for nothing cost something, too. @throws RateLimitedError */
  countFrame(): void {
    this.#take('frame')
  }

  /** Names the registries to a joiner that waits with an invite: the one here may go, too. To a stranger without one it tells nothing. */
  registriesFor(join: Uint8Array): RegisterAnswer | undefined {
    if (grantIdShown(join) === undefined) return undefined
    const { backend, limits } = this.#init
    const registries = backend.registries().slice(0, limits.registries)
    return { ...toldOf(statuses.PENDING), registries }
  }

  async register(request: RegisterRequest): Promise<RegisterAnswer> {
    this.#take('register')
    const { backend, limits, remoteKey } = this.#init
    if (backend.isRevoked(remoteKey)) throw new RevokedError('this key was revoked')
    if (request.instance.byteLength !== instanceBytes) throw new InvalidPayloadError('an instance id has 16 bytes')
    const admit = this.#admitted() ?? (await this.#join(request))
    // Before the record is taken: a cloned machine must not overwrite the record of the first one.
    this.#lease = backend.openLease(remoteKey, request.instance)
    await this.#putFirst(request.record, this.#lease)
    const { leaseMs, heartbeatMs } = this.#lease.beat({})
    this.#shown = backend.checkpoint()?.bytes
    return {
      status: statuses.OK,
      retryAfterMs: 0,
      admit,
      leaseMs,
      heartbeatMs,
      peers: backend.sample(limits.samplePeers),
      registries: backend.registries().slice(0, limits.registries),
      checkpoint: this.#shown ?? none,
      observed: isRelayed(this.#init.connection)
        ? none
        : this.#init.connection.remoteAddr.decapsulateCode(multiaddrP2p).bytes,
      record: backend.record(remoteKey) ?? none,
      replicaAgeMs: backend.replicaAgeMs()
    }
  }

  /** Takes the first record. Whoever is refused holds no lease, and is shown to nobody as online by it. */
  async #putFirst(record: Uint8Array, lease: SessionLease): Promise<void> {
    try {
      await this.#putOwn(record)
    } catch (error) {
      lease.lost('its record was refused')
      this.#lease = undefined
      throw error
    }
  }

  heartbeat(beat: Heartbeat): HeartbeatAnswer {
    this.#take('heartbeat')
    const { backend, limits, onCheckpoint } = this.#init
    if (this.#lease === undefined) throw new NotMemberError('no lease: register first')
    const { leaseMs, heartbeatMs, contested } = this.#lease.beat({
      connected: beat.connected.filter((key) => key.byteLength === 32).slice(0, limits.connected),
      ...(beat.rttMs > 0 && { rttMs: beat.rttMs })
    })
    const ours = backend.checkpoint()
    if (beat.checkpoint.byteLength > 0) {
      this.#shown = beat.checkpoint.slice()
      const cosignatures = beat.cosignatures.slice(0, maxCosignatures).map((each) => each.slice())
      if (cosignatures.length > 0 || newerCheckpoint(this.#shown, ours?.bytes)) onCheckpoint(this.#shown, cosignatures)
    }
    const news = ours !== undefined && newerCheckpoint(ours.bytes, this.#shown) ? ours : undefined
    this.#shown = news?.bytes ?? this.#shown
    return {
      status: statuses.OK,
      leaseMs,
      heartbeatMs,
      contested,
      replicaAgeMs: backend.replicaAgeMs(),
      checkpoint: news?.bytes ?? none,
      cosignatures: news === undefined ? [] : backend.cosignatures(news)
    }
  }

  async put({ record }: PutRecord): Promise<Answer> {
    const role = this.#take('put')
    if (role === undefined) throw new NotMemberError('only members have records here')
    if (servesRegistry(role)) await this.#putForOther(record)
    else await this.#putOwn(record)
    return done()
  }

  async renew(request: Uint8Array): Promise<Answer> {
    const { backend, remoteKey } = this.#init
    const role = this.#take('request')
    const signer = role !== undefined && servesRegistry(role) ? undefined : remoteKey
    const ask = () => backend.renew(request, signer)
    // A member that was away for too long is a stranger, and may still renew itself.
    const { entry } = await (role === undefined ? this.#byStranger(ask, 'renewal') : ask())
    return done(entry)
  }

  async forget(request: Uint8Array): Promise<Answer> {
    const { entry } = await this.#init.backend.forget(request, this.#requester())
    return done(entry)
  }

  async rotate({ proofOld, proofNew }: RotateKey): Promise<Answer> {
    const proofs = { proofOld: proofOld.slice(), proofNew: proofNew.slice() }
    const { entry } = await this.#init.backend.rotate(proofs, this.#requester())
    return done(entry)
  }

  async forward({ join, receipt }: ForwardJoin): Promise<Answer> {
    const role = this.#take('request')
    if (role === undefined || !servesRegistry(role)) throw new NotMemberError('only registries forward joins')
    const bundle = { join, asker: this.#init.remoteId, ...(receipt.byteLength > 0 && { receipt }) }
    const { admit } = await this.#init.backend.join(bundle)
    return done(admit)
  }

  /** Its signature says whether it counts, whoever brings it. */
  async handOver({ entry }: HandOver): Promise<Answer> {
    if (this.#take('request') === undefined) throw new NotMemberError('only members hand entries over')
    return done((await this.#init.backend.reissueEntry(entry.slice(), this.#init.remoteKey)).entry)
  }

  async deregister({ reason, record, moved }: Deregister): Promise<Answer> {
    this.#take('request')
    const lease = this.#lease
    if (lease === undefined) throw new NotMemberError('no lease: register first')
    this.#lease = undefined
    try {
      // First: what is said of the member after it counts on this record, with the reason, wherever the record comes from.
      if (record.byteLength > 0) await this.#putOwn(record)
    } finally {
      if (moved === true) lease.released()
      else lease.left(reason.slice(0, this.#init.limits.reasonChars))
    }
    return done()
  }

  /** The only key that may have signed; undefined when the peer speaks for others. Only members get so far. */
  #requester(): Uint8Array | undefined {
    const role = this.#take('request')
    if (role === undefined) throw new NotMemberError('only members can ask for that')
    return servesRegistry(role) ? undefined : this.#init.remoteKey
  }

  /** Counts the request. Gives the peer's role, undefined for a stranger. @throws RateLimitedError, UnavailableError */
  #take(kind: RequestKind): Role | undefined {
    const { connection, rates, trust } = this.#init
    const role = trust.memberOf(connection)?.role
    if (role === undefined) trust.refuseEnded(connection)
    rates.take(kind, connection, role)
    return role
  }

  /** The own admit entry, when the replica knows the peer as a member: Noise has proved the key. */
  #admitted(): Uint8Array | undefined {
    const { backend, connection, remoteKey, trust } = this.#init
    const member = backend.member(remoteKey)
    if (member === undefined) return undefined
    trust.prove(connection, member)
    return backend.admitOf(remoteKey)
  }

  async #join({ join }: RegisterRequest): Promise<Uint8Array> {
    const { backend, limits, remoteKey } = this.#init
    if (join.byteLength === 0) throw new NotMemberError('not admitted, and no join request was sent')
    await this.#byStranger(
      async () => {
        // Whoever relays a join of another key gets nothing for it.
        openJoin(join, backend.networkId, { signer: remoteKey })
        await backend.join({ join, asker: prefixesOf(this.#init.connection).site })
      },
      backend.isInvited(join) ? 'invite' : 'none'
    )
    // Another registry's replica gets the entry a moment after the root's answer.
    await untilAdmitted(backend, remoteKey, limits.applyMs)
    const admit = this.#admitted()
    if (admit === undefined) throw new PendingError('the root let the peer in; the entry is on its way here')
    return admit
  }

  /** A stranger's proof: one of all strangers' joins, and counted against its /64 when it is none. */
  async #byStranger<T>(prove: () => Promise<T>, proof: StrangerProof): Promise<T> {
    const { connection, rates, trust } = this.#init
    rates.takeJoin(connection, proof)
    trust.spare(connection, proof !== 'none')
    try {
      return await prove()
    } catch (error) {
      trust.spare(connection, false)
      if (isFailedProof(error)) rates.failedProof(connection)
      throw error
    }
  }

  /** A record may come before its admission: it waits for that longer than who sent it waits for an answer. Work that is slow is no verdict. */
  async #putForOther(record: Uint8Array): Promise<void> {
    const { backend, limits, remoteId } = this.#init
    const late = Promise.withResolvers<never>()
    const notKnown = new NotMemberError('the record is of no member that is known here yet')
    let timer: NodeJS.Timeout | undefined
    const onHeld = (): void => {
      timer = setTimeout(() => late.reject(notKnown), limits.applyMs).unref()
    }
    try {
      await Promise.race([backend.put(record, { asker: remoteId, onHeld }), late.promise])
    } finally {
      clearTimeout(timer)
    }
  }

  async #putOwn(frame: Uint8Array): Promise<void> {
    const { backend, remoteId, remoteKey } = this.#init
    const record = frame.slice()
    try {
      await backend.put(record, { asker: remoteId, signer: remoteKey })
    } catch (error) {
      // The very record that is held: registering again with it is no news, and no failure.
      const same = error instanceof StaleRecordError && Buffer.compare(error.held, record) === 0
      if (!same) throw error
    }
  }
}
