import type { Connection } from '@libp2p/interface'
import { equals } from 'uint8arrays/equals'
import { sha256 } from '../../src/identity/hash.ts'
import { peerIdText, SigningKey } from '../../src/identity/keys.ts'
import type { FrameStream } from '../../src/protocols/engine/frames.ts'
import { statuses } from '../../src/protocols/engine/status.ts'
import { Hello } from '../../src/protocols/hello/pb/hello.ts'
import { type RegisterRequest, SessionFrame } from '../../src/protocols/register/pb/register.ts'
import { SyncFrame, SyncRequest } from '../../src/protocols/sync/pb/sync.ts'
import { openCheckpoint } from '../../src/registry/objects/checkpoint.ts'
import { sealEntry } from '../../src/registry/objects/entry.ts'
import type { Invite } from '../../src/registry/objects/invite.ts'
import { checkInviteProof, openJoin } from '../../src/registry/objects/join.ts'
import { openRecord } from '../../src/registry/objects/record.ts'
import { proofOfAnotherNetwork } from './another-network.ts'
import { type Checks, expectEqual } from './checks.ts'
import type { ScriptedRegistry } from './scripted-registry.ts'

type SeenStream = ScriptedRegistry['seen'][number]

const retryAfterMs = 3000
/** How long a client that must stay away is watched. */
const quietMs = 5000
const traceBytes = 16

/**
 * Tests a client of any implementation that joins with this invite: as its registry, which is another network at first, is busy, forges the
 * log, and revokes the client in the end. The client comes again by itself, on connections of its own.
 */
export async function checkClient(registry: ScriptedRegistry, invite: Invite, checks: Checks): Promise<void> {
  await new Examination(registry, invite, checks).run()
}

class Examination {
  readonly #registry: ScriptedRegistry
  readonly #invite: Invite
  readonly #checks: Checks
  #clientKey = new Uint8Array()
  #forged: SeenStream | undefined

  constructor(registry: ScriptedRegistry, invite: Invite, checks: Checks) {
    this.#registry = registry
    this.#invite = invite
    this.#checks = checks
  }

  async run(): Promise<void> {
    const first = await this.#anotherNetwork()
    if (first === undefined) return
    await this.#anotherProof()
    await this.#busy()
    await this.#forgedLog()
    await this.#session()
    await this.#revoked()
    await this.#form()
  }

  get #networkId(): Uint8Array {
    return this.#invite.networkId
  }

  async #anotherNetwork(): Promise<SeenStream | undefined> {
    const registry = this.#registry
    const check = this.#checks.check.bind(this.#checks)
    registry.script('hello', () => async (frames) => {
      await answer(frames, { networkId: sha256(this.#networkId), status: statuses.WRONG_NETWORK })
    })
    const seen = await check('it connects, proves a key, and says hello first', async () => {
      const stream = await registry.next('hello', 0)
      expectEqual(registry.seen[0], stream, 'the first stream')
      return stream
    })
    if (seen === undefined) return undefined
    await check(
      'its hello says version 1 and the network of the invite, or none, and shows no membership',
      async () => {
        const hello = Hello.decode(seen.frames[0]?.bytes ?? new Uint8Array())
        expectEqual(hello.version, 1, 'version')
        const isOfNetwork = hello.networkId.length === 0 || equals(hello.networkId, this.#networkId)
        expectEqual(isOfNetwork, true, 'the network of the invite, or none,')
        expectEqual(hello.admit.length, 0, 'length of the shown admit entry')
        expectEqual([undefined, traceBytes].includes(hello.trace?.length), true, 'a trace of 16 bytes, or none,')
      }
    )
    await check('told WRONG_NETWORK, it closes the connection and opens nothing else on it', () => this.#goesAway(seen))
    return seen
  }

  /** The connection of a hello ends without another stream on it. */
  async #goesAway({ connection }: SeenStream): Promise<void> {
    await this.#registry.until('the end of the connection', () => connection.status !== 'open')
    const others = this.#registry.seen.filter((each) => each.connection === connection && each.protocol !== 'hello')
    expectEqual(others.map(({ protocol }) => protocol).join(), '', 'what it opened besides hello')
  }

  async #anotherProof(): Promise<void> {
    const registry = this.#registry
    const proof = proofOfAnotherNetwork(registry.root.key)
    registry.script('hello', () => (frames) => answer(frames, proof))
    await this.#checks.check(
      'it comes again; shown a right proof of another network, it closes the connection and opens nothing else on it',
      async () => this.#goesAway(await registry.next('hello'))
    )
  }

  async #busy(): Promise<void> {
    const registry = this.#registry
    const check = this.#checks.check.bind(this.#checks)
    let saidAtMs = 0
    registry.script('hello')
    // What the client pulls first after its admission is forged.
    registry.script('sync', (stream) => {
      registry.script('sync')
      this.#forged = stream
      return (frames) => this.#forge(frames)
    })
    registry.script('register', () => async (frames) => {
      const { id } = SessionFrame.decode((await frames.read()) ?? new Uint8Array())
      saidAtMs = performance.now()
      // From here on the registry itself.
      registry.script('register')
      await frames.write(SessionFrame.encode({ id, answer: refusal(statuses.RATE_LIMITED, retryAfterMs) }))
      await frames.close()
    })
    const seen = await check('it comes again, is shown the proof of the network, and registers', () =>
      registry.next('register')
    )
    if (seen === undefined) return
    const { register } = firstRequest(seen)
    const remoteKey = seen.connection.remotePeer.toString()
    await check('its join is signed by its own key, fits the invite and is proven by it', async () => {
      const { value } = openJoin(register?.join ?? new Uint8Array(), this.#networkId)
      this.#clientKey = value.publicKey.slice()
      expectEqual(peerIdText(value.publicKey), remoteKey, 'the key of the join')
      expectEqual(equals(value.grantId ?? new Uint8Array(), this.#invite.grant.id), true, 'the grant of the invite')
      expectEqual(equals(value.inviteKey ?? new Uint8Array(), this.#invite.inviteKey.publicKey), true, 'its key')
      expectEqual(value.role, this.#invite.grant.role, 'role')
      checkInviteProof(value)
    })
    await check('its record is signed by its own key, with a seq from 1 on', async () => {
      const { value } = openRecord(register?.record ?? new Uint8Array(), this.#networkId)
      expectEqual(peerIdText(value.publicKey), remoteKey, 'the key of the record')
    })
    await check('its request has an id from 1 on, and an instance of 16 bytes', async () => {
      expectEqual(firstRequest(seen).id > 0, true, 'an id from 1 on')
      expectEqual(register?.instance.length, 16, 'length of the instance')
    })
    await check('told RATE_LIMITED, it waits as long as it was told, and registers again', async () => {
      const again = await registry.next('register', registry.seen.indexOf(seen) + 1)
      const waitedMs = (again.frames[0]?.atMs ?? 0) - saidAtMs
      if (waitedMs < retryAfterMs - 50) throw new Error(`it came after ${Math.round(waitedMs)} ms, not ${retryAfterMs}`)
    })
  }

  /** Sends the log as it is, and behind it an entry by a key that may not sign it. */
  async #forge(frames: FrameStream): Promise<void> {
    const { replica } = this.#registry.root.registry
    const request = SyncRequest.decode((await frames.read()) ?? new Uint8Array())
    const { head } = replica
    const afterN = request.hash.length === 0 ? -1 : request.n
    const entries = replica.read(afterN, 2 ** 20).map(({ envelope }) => envelope)
    const forger = SigningKey.generate()
    const member = { publicKey: forger.publicKey, name: 'forged', role: 'integrated', notAfterMs: Date.now() } as const
    const position = { networkId: this.#networkId, n: head.n + 1, prevHash: head.hash, epoch: head.epoch }
    const forged = sealEntry(
      { ...position, timeMs: Date.now(), kind: 'admit', body: { ...member, via: 'founder' } },
      forger
    )
    const checkpoint = replica.checkpoint?.bytes ?? new Uint8Array()
    const start = { status: statuses.OK, mode: 0, replicaAgeMs: 0, retryAfterMs: 0 }
    await frames.write(SyncFrame.encode({ ...emptyFrame, start }))
    await frames.write(SyncFrame.encode({ ...emptyFrame, entries, checkpoint }))
    await frames.write(SyncFrame.encode({ ...emptyFrame, entries: [forged.bytes], caughtUp: true }))
    await frames.closed
  }

  async #forgedLog(): Promise<void> {
    const registry = this.#registry
    const check = this.#checks.check.bind(this.#checks)
    await check('it is admitted', () =>
      registry.until('the admission', () => registry.root.registry.replica.state.member(this.#clientKey))
    )
    const seen = await check('it pulls the log, from a position that it can know', async () => {
      const stream = await registry.until('a request of sync', () =>
        this.#forged?.frames[0] === undefined ? undefined : this.#forged
      )
      this.#expectPosition(stream)
      return stream
    })
    if (seen === undefined) return
    await check(
      'shown an entry of a key that may not sign it, it refuses it and pulls again from before it',
      async () => {
        this.#expectPosition(await registry.next('sync', registry.seen.indexOf(seen) + 1))
      }
    )
  }

  /** The position of a request is one of the log as it is. */
  #expectPosition(stream: SeenStream): void {
    const { version, networkId, n, hash } = SyncRequest.decode(stream.frames[0]?.bytes ?? new Uint8Array())
    expectEqual(version, 1, 'version')
    expectEqual(equals(networkId, this.#networkId), true, 'the network of the invite')
    if (hash.length === 0) return
    const own = this.#registry.root.registry.replica.linkHash(n)
    expectEqual(own !== undefined && equals(own, hash), true, `the hash of entry ${n}`)
  }

  async #session(): Promise<void> {
    const registry = this.#registry
    const sessionFrame = (isIt: (frame: SessionFrame) => boolean) => () =>
      registry.seen.some(
        ({ protocol, frames }) =>
          protocol === 'register' && frames.some(({ bytes }) => isIt(SessionFrame.decode(bytes)))
      )
    const check = this.#checks.check.bind(this.#checks)
    await check('it answers a ping', () =>
      registry.until(
        'a pong',
        sessionFrame(({ pong }) => pong === true)
      )
    )
    await check('it says heartbeats, with no checkpoint but one that the registry signed', async () => {
      const isBeat = ({ heartbeat }: SessionFrame): boolean => {
        const bytes = heartbeat?.checkpoint ?? new Uint8Array()
        if (bytes.length > 0) this.#expectOfLogKey(bytes)
        return heartbeat !== undefined
      }
      await registry.until('a heartbeat', sessionFrame(isBeat))
    })
  }

  #expectOfLogKey(bytes: Uint8Array): void {
    const { value, signer } = openCheckpoint(bytes, this.#networkId)
    const logKey = this.#registry.root.registry.replica.logKeyOf(value.epoch)
    expectEqual(logKey !== undefined && equals(signer, logKey), true, 'the log key as the signer')
  }

  async #revoked(): Promise<void> {
    const registry = this.#registry
    await registry.root.registry.admission.revoke(this.#clientKey, 'the checks are done')
    // Those of before are closed at once, whatever is under way on them.
    const before = new Set(registry.seen.map(({ connection }) => connection))
    const opened = () => registry.seen.filter(({ connection }) => isDialled(connection) && !before.has(connection))
    await this.#checks.check(
      'revoked, it comes back at most ten times, and asks for a lease once each time',
      async () => {
        await new Promise((resolve) => setTimeout(resolve, quietMs))
        const connections = new Set(opened().map(({ connection }) => connection))
        if (connections.size > 10) throw new Error(`it came ${connections.size} times in ${quietMs / 1000} s`)
        const asked = opened().filter(({ protocol, frames }) => protocol === 'register' && frames.length > 0)
        const once = new Set(asked.map(({ connection }) => connection)).size
        expectEqual(asked.length, once, 'number of its requests for a lease')
      }
    )
  }

  async #form(): Promise<void> {
    const inbound = this.#registry.seen.filter(({ connection }) => isDialled(connection))
    await this.#checks.check('hello came first on each of its connections', async () => {
      for (const [at, { connection, protocol }] of inbound.entries()) {
        const isFirst = inbound.findIndex((each) => each.connection === connection) === at
        if (isFirst) expectEqual(protocol, 'hello', 'the first protocol of a connection')
      }
    })
    await this.#checks.check('each of its frames has a length in the shortest form, and fits', async () => {
      for (const { fault, protocol } of this.#registry.seen) {
        if (fault !== undefined) throw new Error(`${protocol}: ${fault.message}`)
      }
    })
  }
}

const emptyFrame: SyncFrame = {
  entries: [],
  checkpoint: new Uint8Array(),
  cosignatures: [],
  records: [],
  hints: [],
  caughtUp: false,
  delegations: [],
  revokes: []
}

const refusal = (status: number, afterMs: number) => ({
  status,
  retryAfterMs: afterMs,
  record: new Uint8Array(),
  entry: new Uint8Array()
})

/** The client made the connection, so that it is the one to say hello. */
const isDialled = (connection: Connection): boolean => connection.direction === 'inbound'

const firstRequest = (seen: SeenStream): { id: number; register?: RegisterRequest | undefined } =>
  SessionFrame.decode(seen.frames[0]?.bytes ?? new Uint8Array())

/** Answers the hello of a client. */
async function answer(frames: FrameStream, hello: Partial<Hello>): Promise<void> {
  await frames.read()
  await frames.write(Hello.encode({ version: 1, ...hello }))
  await frames.close()
}
