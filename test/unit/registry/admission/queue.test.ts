import { TypedEventEmitter } from 'main-event'
import { describe, expect, it } from 'vitest'
import { defaultLimits } from '../../../../src/registry/admission/limits.ts'
import { type RootRequest, RootRequestQueue } from '../../../../src/registry/admission/root-request-queue.ts'
import type { JoinEvents } from '../../../../src/registry/events.ts'
import { silentLogger } from '../../../../src/runtime/clock-and-logger.ts'
import { InvalidPayloadError, UnavailableError } from '../../../../src/runtime/errors.ts'
import { keyNumber, LogNetwork } from '../../../helpers/log-network.ts'

const limits = defaultLimits('secondary')

describe('the queue for the root', () => {
  const bytes = (fill: number): Uint8Array => new Uint8Array(3).fill(fill)
  const requests: RootRequest[] = [
    { kind: 'join', join: bytes(1) },
    { kind: 'join', join: bytes(2), receipt: bytes(3) },
    { kind: 'renew', request: bytes(9) },
    { kind: 'forget', request: bytes(10) },
    { kind: 'rotate', proofOld: bytes(11), proofNew: bytes(12) }
  ]

  /** Bytes from the store are Buffers. */
  const plain = (request: RootRequest): unknown =>
    Object.fromEntries(Object.entries(request).map(([name, value]) => [name, Buffer.from(value).toString()]))

  it('gives each request to it as it was asked, oldest first', async () => {
    const { db, commit } = await new LogNetwork().start()
    const clock = new LogNetwork().clock
    const events = new TypedEventEmitter<JoinEvents>()
    const queue = new RootRequestQueue({ db, commit, clock, logger: silentLogger, limits, events })
    for (const [index, request] of requests.entries()) await queue.add(keyNumber(index).publicKey, request)
    const sent: RootRequest[] = []
    const decided = await queue.replay(
      (request) => {
        sent.push(request)
        return sent.length < 3 ? Promise.resolve({ entry: bytes(0) }) : Promise.reject(new UnavailableError('away', 1))
      },
      () => true
    )
    expect(sent.map(plain)).toEqual(requests.map(plain))
    expect([decided, queue.size]).toEqual([2, 3])
  })

  it('sends a rotation whose second proof the store has lost without it: the root refuses that, and it is dropped', async () => {
    const { db, commit } = await new LogNetwork().start()
    const parts = { db, commit, clock: new LogNetwork().clock, logger: silentLogger, limits }
    const queue = new RootRequestQueue({ ...parts, events: new TypedEventEmitter<JoinEvents>() })
    await queue.add(keyNumber(1).publicKey, { kind: 'rotate', proofOld: bytes(1), proofNew: bytes(2) })
    db.exec('UPDATE queue SET receipt = NULL')
    const sent: unknown[] = []
    const refuse = (request: RootRequest) => {
      sent.push(plain(request))
      return Promise.reject(new InvalidPayloadError('the rotation is signed by one key'))
    }
    await queue.replay(refuse, () => false)
    expect(sent).toEqual([plain({ kind: 'rotate', proofOld: bytes(1), proofNew: new Uint8Array() })])
    expect(queue.size).toBe(0)
  })

  it('is not held up by requests that the root cannot decide, and stops when it is away', async () => {
    const { db, commit } = await new LogNetwork().start()
    const parts = { db, commit, clock: new LogNetwork().clock, logger: silentLogger, limits }
    const queue = new RootRequestQueue({ ...parts, events: new TypedEventEmitter<JoinEvents>() })
    for (let number = 0; number < 70; number++) {
      await queue.add(keyNumber(number).publicKey, { kind: 'renew', request: bytes(number) })
    }
    const undecided = async (request: RootRequest) => {
      if (request.kind === 'renew' && (request.request[0] ?? 0) < 64) throw new UnavailableError('no room', 1)
      return { entry: bytes(0) }
    }
    expect(await queue.replay(undecided, () => false)).toBe(6)
    expect(queue.size).toBe(64)
    let sent = 0
    const away = () => Promise.reject(new UnavailableError(`away ${sent++}`, 1))
    expect(await queue.replay(away, () => true)).toBe(0)
    expect(sent).toBe(32)
  })
})
