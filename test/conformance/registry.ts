import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { equals } from 'uint8arrays/equals'
import { sha256 } from '../../src/identity/hash.ts'
import { peerIdText, SigningKey } from '../../src/identity/keys.ts'
import type { FrameStream } from '../../src/protocols/engine/frames.ts'
import { statuses } from '../../src/protocols/engine/status.ts'
import { Hello } from '../../src/protocols/hello/pb/hello.ts'
import { LookupAnswer, LookupRequest } from '../../src/protocols/lookup/pb/lookup.ts'
import { SessionFrame } from '../../src/protocols/register/pb/register.ts'
import { SyncFrame, SyncRequest } from '../../src/protocols/sync/pb/sync.ts'
import { openCheckpoint } from '../../src/registry/objects/checkpoint.ts'
import { openEntry } from '../../src/registry/objects/entry.ts'
import { openGenesis } from '../../src/registry/objects/genesis.ts'
import type { Invite } from '../../src/registry/objects/invite.ts'
import { makeJoin } from '../../src/registry/objects/join.ts'
import { openRecord, sealRecord } from '../../src/registry/objects/record.ts'
import { startPlainHost } from '../helpers/hosts.ts'
import { type Checks, expectEqual } from './checks.ts'
import { ask, framed, id, open, outcomeOf, patienceMs, read } from './streams.ts'

/**
 * Tests a registry of any implementation at the first address of an invite: joins as a new member, then asks, and is refused where it should be.
 * The invite loses one use.
 */
export async function checkRegistry(invite: Invite, name: string, checks: Checks): Promise<void> {
  const key = SigningKey.generate()
  const host = await startPlainHost({ privateKey: key.toLibp2p() })
  const [registry] = invite.registries
  const target = multiaddr(`${registry?.addrs[0] ?? ''}/p2p/${peerIdText(registry?.publicKey ?? new Uint8Array())}`)
  const dial = async (): Promise<Connection> =>
    await host.dial(target, { signal: AbortSignal.timeout(patienceMs), force: true })
  try {
    const connection = await checks.check('it can be dialled, with Noise and yamux, and proves its key', dial)
    if (connection === undefined) return
    await checkForeign(dial, invite, checks)
    await new Conversation(connection, invite, key, name, checks).run()
  } finally {
    await host.stop()
  }
}

/** Asks on a connection of its own, behind whose refusal nothing more is to be had. */
export async function checkForeign(
  dial: () => Promise<Connection>,
  { networkId }: Pick<Invite, 'networkId'>,
  checks: Checks,
  closesInMs: number = patienceMs
): Promise<void> {
  const connection = await dial()
  const closed = new Promise<void>((resolve) => connection.addEventListener('close', () => resolve(), { once: true }))
  await checks.check('hello of another network is answered WRONG_NETWORK, and nothing else', async () => {
    const foreign = Hello.encode({ version: 1, networkId: sha256(networkId) })
    const answer = Hello.decode(await ask(connection, 'hello', foreign))
    expectEqual(answer.status, statuses.WRONG_NETWORK, 'status')
    expectEqual(answer.genesis.length + answer.admit.length + answer.checkpoint.length, 0, 'bytes of its proof')
  })
  const questions: [string, string, Uint8Array][] = [
    ['lookup', id('lookup'), framed(LookupRequest.encode({ version: 1, networkId }))],
    ['hello', id('hello'), framed(Hello.encode({ version: 1, networkId }))],
    ['identify', '/ipfs/id/1.0.0', new Uint8Array()]
  ]
  for (const [what, protocol, question] of questions) {
    await checks.check(`behind WRONG_NETWORK a stream of ${what} is reset`, async () => {
      const outcome = await outcomeOf(connection, protocol, question)
      // A connection that is closed by then gives nothing either.
      expectEqual(outcome === 'closed' ? 'reset' : outcome, 'reset', 'the stream')
    })
  }
  await checks.check('behind WRONG_NETWORK the connection is closed', async () => {
    if (connection.status === 'open') await Promise.race([closed, late(closesInMs)])
  })
  await connection.close()
}

class Conversation {
  readonly #connection: Connection
  readonly #invite: Invite
  readonly #key: SigningKey
  readonly #name: string
  readonly #checks: Checks
  #admit = new Uint8Array()

  constructor(connection: Connection, invite: Invite, key: SigningKey, name: string, checks: Checks) {
    this.#connection = connection
    this.#invite = invite
    this.#key = key
    this.#name = name
    this.#checks = checks
  }

  async run(): Promise<void> {
    await this.#asStranger()
    const session = await this.#join()
    await this.#asMember()
    await this.#session(session)
  }

  async #hello(message: Partial<Hello>): Promise<Hello> {
    return Hello.decode(await ask(this.#connection, 'hello', Hello.encode({ version: 1, ...message })))
  }

  async #lookup(message: Partial<LookupRequest>): Promise<LookupAnswer> {
    const { networkId } = this.#invite
    const question = LookupRequest.encode({ version: 1, networkId, ...message })
    return LookupAnswer.decode(await ask(this.#connection, 'lookup', question))
  }

  async #asStranger(): Promise<void> {
    const { networkId } = this.#invite
    const check = this.#checks.check.bind(this.#checks)
    await check('hello without a network id is answered with the genesis of the network', async () => {
      const { genesis, checkpoint, status } = await this.#hello({})
      expectEqual(equals(openGenesis(genesis).hash, networkId), true, 'the genesis of the network of the invite')
      openCheckpoint(checkpoint, networkId)
      expectEqual(status, statuses.NOT_MEMBER, 'status')
    })
    await check('lookup by a stranger is answered NOT_MEMBER', async () => {
      expectEqual((await this.#lookup({})).status, statuses.NOT_MEMBER, 'status')
    })
    await check('sync by a stranger is answered NOT_MEMBER', async () => {
      const answer = await ask(this.#connection, 'sync', SyncRequest.encode({ version: 1, networkId }))
      expectEqual(SyncFrame.decode(answer).start?.status, statuses.NOT_MEMBER, 'status')
    })
    await check('a frame of length 0 resets the stream', async () => {
      expectEqual(await outcomeOf(this.#connection, id('hello'), Uint8Array.of(0)), 'reset', 'the stream')
    })
  }

  #record(seq: number): Uint8Array {
    const { networkId } = this.#invite
    return sealRecord(
      {
        networkId,
        publicKey: this.#key.publicKey,
        seq,
        addrs: ['/ip6/::1/tcp/9'],
        roles: [this.#invite.grant.role],
        services: [{ name: 'conformance', port: 9, protocol: 'tcp', tags: [], state: 'unknown' }],
        tags: [],
        software: 'conformance',
        reach: 'unknown',
        left: false,
        issuedMs: Date.now()
      },
      this.#key
    ).bytes
  }

  async #join(): Promise<FrameStream> {
    const { networkId, grant, inviteKey } = this.#invite
    const session = await open(this.#connection, 'register')
    const instance = new Uint8Array(16).fill(7)
    const join = makeJoin({
      networkId,
      key: this.#key,
      name: grant.name ?? this.#name,
      role: grant.role,
      grant,
      inviteKey,
      timeMs: Date.now()
    })
    await this.#checks.check('register with the join of the invite is answered with the admit entry', async () => {
      await session.write(SessionFrame.encode({ id: 1, register: { record: this.#record(1), join, instance } }))
      const { registered } = await this.#answer(session, 1)
      expectEqual(registered?.status, statuses.OK, 'status')
      this.#admit = registered?.admit.slice() ?? new Uint8Array()
      const { value } = openEntry(this.#admit, networkId)
      expectEqual(value.kind, 'admit', 'kind of the entry')
    })
    return session
  }

  /** The answer to a request; pings and what is said without being asked are passed over. */
  async #answer(session: FrameStream, number: number): Promise<SessionFrame> {
    for (;;) {
      const frame = SessionFrame.decode(await read(session))
      if (frame.ping !== undefined) await session.write(SessionFrame.encode({ id: frame.id, pong: true }))
      else if (frame.id === number) return frame
    }
  }

  async #asMember(): Promise<void> {
    const { networkId } = this.#invite
    const check = this.#checks.check.bind(this.#checks)
    await check('hello with the admit entry is answered OK', async () => {
      expectEqual((await this.#hello({ networkId, admit: this.#admit })).status, statuses.OK, 'status')
    })
    await check('sync gives the whole log: each entry opens and follows the one before', async () => {
      await this.#followLog()
    })
    await check('lookup by key gives the own row, with the record as it was sent', async () => {
      const { status, rows } = await this.#lookup({ publicKey: this.#key.publicKey })
      expectEqual(status, statuses.OK, 'status')
      expectEqual(rows.length, 1, 'number of rows')
      expectEqual(openRecord(rows[0]?.record ?? new Uint8Array(), networkId).value.seq, 1, 'seq of the record')
    })
    await check('lookup by service finds the own row', async () => {
      const { rows } = await this.#lookup({ service: 'conformance' })
      expectEqual(
        rows.some(({ publicKey }) => equals(publicKey, this.#key.publicKey)),
        true,
        'the own row'
      )
    })
    const refusals: [string, Partial<LookupRequest>, number][] = [
      ['of another network is answered WRONG_NETWORK', { networkId: sha256(networkId) }, statuses.WRONG_NETWORK],
      ['of version 2 is answered UNSUPPORTED_VERSION', { version: 2 }, statuses.UNSUPPORTED_VERSION],
      ['for a role of a newer version is answered UNSUPPORTED_VERSION', { role: 99 }, statuses.UNSUPPORTED_VERSION],
      ['with a key of 5 bytes is answered MALFORMED', { publicKey: new Uint8Array(5) }, statuses.MALFORMED]
    ]
    for (const [what, message, status] of refusals) {
      await check(`lookup ${what}`, async () => expectEqual((await this.#lookup(message)).status, status, 'status'))
    }
  }

  async #followLog(): Promise<void> {
    const { networkId } = this.#invite
    const frames = await open(this.#connection, 'sync')
    await frames.write(SyncRequest.encode({ version: 1, networkId }))
    let before = networkId
    let entries = -1
    for (;;) {
      const frame = SyncFrame.decode(await read(frames))
      if (frame.start !== undefined) expectEqual(frame.start.status, statuses.OK, 'status')
      for (const bytes of frame.entries) {
        // Entry 0 is the genesis envelope itself.
        if (entries < 0) {
          expectEqual(equals(openGenesis(bytes.slice()).hash, networkId), true, 'the genesis comes first')
          entries = 0
          continue
        }
        const { value, hash } = openEntry(bytes.slice(), networkId)
        if (value.n === entries + 1) expectEqual(equals(value.prevHash, before), true, `entry ${value.n} follows`)
        entries = value.n
        before = hash
      }
      if (frame.caughtUp) break
    }
    await frames.close()
    if (entries < 1) throw new Error('no entry came')
  }

  async #session(session: FrameStream): Promise<void> {
    const check = this.#checks.check.bind(this.#checks)
    await check('a heartbeat is answered with the lease', async () => {
      const heartbeat = { checkpoint: new Uint8Array(), cosignatures: [], seq: 1, connected: [], rttMs: 0 }
      await session.write(SessionFrame.encode({ id: 2, heartbeat }))
      expectEqual((await this.#answer(session, 2)).heartbeatAnswer?.status, statuses.OK, 'status')
    })
    await check('a record with a lower seq is answered STALE, with the one that is held', async () => {
      await session.write(SessionFrame.encode({ id: 3, put: { record: this.#record(2) } }))
      expectEqual((await this.#answer(session, 3)).answer?.status, statuses.OK, 'status of the newer one')
      await session.write(SessionFrame.encode({ id: 4, put: { record: this.#record(1) } }))
      const { answer } = await this.#answer(session, 4)
      expectEqual(answer?.status, statuses.STALE, 'status')
      expectEqual(
        openRecord(answer?.record ?? new Uint8Array(), this.#invite.networkId).value.seq,
        2,
        'seq that is held'
      )
    })
    await check('a request of a newer version is answered UNSUPPORTED_VERSION', async () => {
      // Field 29, which no version has: an empty message.
      await session.write(Uint8Array.of(...SessionFrame.encode({ id: 5 }), 0xea, 1, 0))
      expectEqual((await this.#answer(session, 5)).answer?.status, statuses.UNSUPPORTED_VERSION, 'status')
    })
    await check('deregister is answered OK', async () => {
      const deregister = { reason: 'the checks are done', record: new Uint8Array() }
      await session.write(SessionFrame.encode({ id: 6, deregister }))
      expectEqual((await this.#answer(session, 6)).answer?.status, statuses.OK, 'status')
    })
  }
}

const late = (afterMs: number): Promise<never> =>
  new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`nothing happened in ${afterMs} ms`)), afterMs).unref()
  })
