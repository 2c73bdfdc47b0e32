import { equals } from 'uint8arrays/equals'
import { peerIdText } from '../../identity/keys.ts'
import type { RegisterCall, Registered, RegistrySession, SessionEnd } from '../../protocols/register/index.ts'
import { onAbort } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import { momentOf } from '../../runtime/clock-and-logger.ts'
import { JoinRejectedError, NotMemberError, PendingError, StaleRecordError } from '../../runtime/errors.ts'
import { sleep } from '../../runtime/sleep.ts'
import { startTrace, traceField } from '../../runtime/trace.ts'
import type { LeaseClientInit, RegistryPeer, SessionView } from './types.ts'

export interface Entered {
  readonly view: SessionView
  readonly answer: Registered
}

/** A registry counts a renewal that came too late as a proof that failed, and takes one of them a second. */
const endedPauseMs = 1_500

type EntryInit = Pick<LeaseClientInit, 'registries' | 'selfRecord' | 'membership' | 'owner' | 'clock' | 'logger'>

/**
 * Opens a session and registers on it: with a join while this node is no member, with a renewal when its membership ran out while
 * it was away. A join that waits is waited for; `retry` ends that, since a new invite may do better.
 */
export async function enter(
  init: EntryInit,
  peer: RegistryPeer,
  signal: AbortSignal,
  retry: AbortSignal
): Promise<Entered> {
  const session = await init.registries.open(peer.connection, signal)
  try {
    const answer = await new Entry(init, peer, session, signal, retry).run()
    const { clock } = init
    const { leaseMs } = answer
    return { view: { peer, session, sinceAt: momentOf(clock), heartbeatAt: clock.monotonic(), leaseMs }, answer }
  } catch (error) {
    await session.close().catch(() => {})
    throw error
  }
}

class Entry {
  readonly #init: EntryInit
  readonly #peer: RegistryPeer
  readonly #session: RegistrySession
  readonly #signal: AbortSignal
  readonly #retry: AbortSignal

  constructor(init: EntryInit, peer: RegistryPeer, session: RegistrySession, signal: AbortSignal, retry: AbortSignal) {
    this.#init = init
    this.#peer = peer
    this.#session = session
    this.#signal = signal
    this.#retry = retry
  }

  async run(): Promise<Registered> {
    const { membership } = this.#init
    try {
      if (membership.isMember()) return await this.#register()
    } catch (error) {
      // A replica that was away does not know yet that its own membership ran out meanwhile.
      if (!(error instanceof NotMemberError)) throw error
    }
    await this.#renewLate()
    return await startTrace('join', { peer: peerIdText(this.#peer.publicKey) }, () => this.#join())
  }

  /** After the grace of the policy a member comes in as a new one does: with an invite, or by the operator's word. */
  async #renewLate(): Promise<void> {
    const late = this.#init.membership.lateRenewal()
    if (late === undefined) return
    try {
      await this.#session.renew(late, { signal: this.#signal })
    } catch (error) {
      if (!(error instanceof NotMemberError)) throw error
      await sleep(endedPauseMs, this.#signal)
    }
  }

  /** Once more with a higher seq when the registry holds a newer record of ours. */
  async #register(call: { join?: Uint8Array } = {}): Promise<Registered> {
    const { selfRecord } = this.#init
    const { instance } = selfRecord
    const { publicKey } = this.#peer
    const { current, isRight } = selfRecord
    const holder = current?.value.registryKey
    const isPresent = isRight && holder !== undefined && equals(holder, publicKey)
    // After a restore the next seq is one that was signed already: the registry shows the newer record when it is shown the old one.
    const record =
      current !== undefined && (isPresent || selfRecord.isRestored)
        ? current
        : await selfRecord.issue({ registryKey: publicKey })
    try {
      return await this.#send({ ...call, instance, record: record.bytes })
    } catch (error) {
      if (!(error instanceof StaleRecordError) || !selfRecord.learn(error.held)) throw error
      const newer = await selfRecord.issue({ registryKey: publicKey })
      return await this.#send({ ...call, instance, record: newer.bytes })
    }
  }

  /** The first step of a trace: the registry may have to ask the root. */
  async #send(call: RegisterCall): Promise<Registered> {
    const fields = { peer: peerIdText(this.#peer.publicKey) }
    return await startTrace('register', fields, async () => {
      this.#init.logger.debug({ ...fields, ...traceField() }, 'registering')
      return await this.#session.register(call, { signal: this.#signal })
    })
  }

  async #join(): Promise<Registered> {
    const { membership, owner, logger } = this.#init
    // Before it is asked: the answer may come together with the word that it waits.
    const decision = this.#decision()
    try {
      return await this.#register(membership.joinCall())
    } catch (error) {
      if (!(error instanceof PendingError)) throw error
      owner.troubled(new PendingError(waitingAt(this.#peer)))
      const fields = { peer: peerIdText(this.#peer.publicKey) }
      logger.info(fields, 'the join waits for approval or for the root; this session waits for the answer')
      await decision.made
      return await this.#register()
    } finally {
      decision.forget()
    }
  }

  /** Resolves when the join was decided, rejects when it was refused or nothing will come of this session. */
  #decision(): { made: Promise<void>; forget: () => void } {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    promise.catch(() => {})
    const onAdmitted = ({ detail }: CustomEvent<{ status: number }>): void => {
      if (detail.status === 0) resolve()
      else reject(new JoinRejectedError('the operator of the root rejected the join'))
    }
    const onEnd = ({ reason }: SessionEnd): void =>
      reject(new Error(`the session ended while the join waited: ${reason}`))
    const onRegistries = ({ detail }: CustomEvent<{ records: readonly Uint8Array[] }>): void =>
      this.#init.owner.toldRegistries(detail.records)
    this.#session.events.addEventListener('admitted', onAdmitted)
    this.#session.events.addEventListener('registries', onRegistries)
    const stopped = onAbort(this.#signal, reject)
    const retried = onAbort(this.#retry, () => reject(new RetryError('a new try was asked for')))
    inBackground(this.#session.closed.then(onEnd), 'ending a wait for admission')
    const forget = (): void => {
      this.#session.events.removeEventListener('admitted', onAdmitted)
      this.#session.events.removeEventListener('registries', onRegistries)
      stopped?.[Symbol.dispose]()
      retried?.[Symbol.dispose]()
    }
    return { made: promise, forget }
  }
}

/** The wait for a decision was ended here. */
export class RetryError extends Error {
  override readonly name = 'RetryError'
}

/** Only the root asks its operator; another registry has it or its operator to wait for. */
const waitingAt = ({ name, role }: RegistryPeer): string =>
  role === 'root'
    ? `the join waits at ${name}, the root, for the word of its operator`
    : `the join waits at ${name} (${role}): the root is away, or its operator has not decided yet`
