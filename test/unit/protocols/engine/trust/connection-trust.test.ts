import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { TypedEventEmitter } from 'main-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { peerIdText, SigningKey } from '../../../../../src/identity/keys.ts'
import { limitsWith } from '../../../../../src/protocols/engine/limits.ts'
import { ConnectionTrust } from '../../../../../src/protocols/engine/trust/connection-trust.ts'
import { FakeClock } from '../../../../helpers/observations.ts'

const member = { publicKey: SigningKey.generate().publicKey, name: 'a', role: 'integrated' } as const

/** What trust sees of a connection. */
class FakeConnection extends TypedEventEmitter<{ close: Event }> {
  static #count = 0
  readonly id = String(FakeConnection.#count++)
  readonly direction: 'inbound' | 'outbound'
  readonly remotePeer: { toString(): string; publicKey: { raw: Uint8Array } }
  readonly remoteAddr
  status = 'open'

  constructor(direction: 'inbound' | 'outbound' = 'inbound', publicKey = member.publicKey, ip = '2001:db8::1') {
    super()
    this.remoteAddr = multiaddr(`/ip6/${ip}/tcp/40000`)
    this.direction = direction
    this.remotePeer = { toString: () => peerIdText(publicKey), publicKey: { raw: publicKey } }
  }

  abort(): void {
    this.status = 'aborted'
    this.dispatchEvent(new Event('close'))
  }
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- trust sees no more of a connection than this
const asConnection = (fake: FakeConnection) => fake as unknown as Connection
const strangers = { young: 5, open: 2, ms: 30_000, unconfirmedMs: 500_000, waiting: 1, waitingMs: 60_000 }

let trust: ConnectionTrust
let clock: FakeClock
beforeEach(() => {
  vi.useFakeTimers()
  clock = new FakeClock()
  trust = new ConnectionTrust({ limits: limitsWith({ strangers }).strangers, settleMs: 3_000, clock })
})
afterEach(() => {
  trust.clear()
  vi.useRealTimers()
})

const pass = async (ms: number) => {
  clock.advance(ms)
  await vi.advanceTimersByTimeAsync(ms)
}

function open(count: number, direction: 'inbound' | 'outbound' = 'inbound', ip?: string): FakeConnection[] {
  return Array.from({ length: count }, () => {
    const fake = new FakeConnection(direction, member.publicKey, ip)
    trust.track(asConnection(fake))
    return fake
  })
}

const statuses = (all: FakeConnection[]) => all.map(({ status }) => status)

describe('ConnectionTrust', () => {
  it('lets many be young at once and turns none of the members among them away', () => {
    const all = open(5)
    for (const fake of all) trust.prove(asConnection(fake), member)
    const more = open(5)
    expect(statuses([...all, ...more])).toEqual(Array.from({ length: 10 }, () => 'open'))
    expect(statuses(open(1))).toEqual(['aborted'])
    expect(trust.strangers).toBe(5)
  })

  it('keeps few who said no hello in time, and those for a short while', async () => {
    const all = open(4)
    await pass(3_000)
    expect(statuses(all).filter((status) => status === 'open')).toHaveLength(2)
    await pass(30_000)
    expect(statuses(all)).toEqual(['aborted', 'aborted', 'aborted', 'aborted'])
    expect(trust.strangers).toBe(0)
  })

  it('takes no places from others for a crowd of one /64 or one /48', () => {
    const crowd = open(5, 'inbound', '2001:db8:bad::1')
    const [sameNet] = open(1, 'inbound', '2001:db8:bad::2')
    const honest = open(2, 'inbound', '2001:db8:600d::1')
    expect(sameNet?.status).toBe('aborted')
    expect(statuses(honest)).toEqual(['open', 'open'])
    expect(statuses(crowd)).toEqual(['open', 'open', 'open', 'aborted', 'aborted'])
    // Until its own /48 is the one that has most.
    const late = open(2, 'inbound', '2001:db8:600d:5::1')
    expect(statuses([...honest, ...late])).toEqual(['open', 'open', 'open', 'aborted'])
    expect(statuses(crowd)).toEqual(['open', 'open', 'aborted', 'aborted', 'aborted'])
    expect(trust.strangers).toBe(5)
  })

  it('asks a member anew whose entries never came', async () => {
    const [unheard] = open(1)
    if (unheard === undefined) throw new Error('one was opened')
    trust.prove(asConnection(unheard), member)
    await pass(strangers.unconfirmedMs)
    trust.recheck(() => false)
    expect(unheard.status).toBe('open')
    await pass(1)
    trust.recheck(() => false)
    expect(unheard.status).toBe('aborted')
  })

  it('does not bound what this host opens itself', () => {
    expect(statuses(open(20, 'outbound'))).not.toContain('aborted')
  })

  it('lets a joiner wait for longer, as many as may', async () => {
    const [first, second] = open(2).map(asConnection)
    if (first === undefined || second === undefined) throw new Error('two were opened')
    expect([trust.keepWaiting(first), trust.keepWaiting(first), trust.keepWaiting(second)]).toEqual([true, true, false])
    await pass(40_000)
    expect([first.status, second.status]).toEqual(['open', 'aborted'])
    trust.prove(first, member)
    await pass(100_000)
    expect(first.status).toBe('open')
  })

  it('lets one of another site wait in place of one of those that hold all', () => {
    const [greedy] = open(1, 'inbound', '2001:db8:bad::1').map(asConnection)
    const [honest, another] = open(2, 'inbound', '2001:db8:600d::1').map(asConnection)
    const [more] = open(1, 'inbound', '2001:db8:bad::2').map(asConnection)
    if (!greedy || !honest || !another || !more) throw new Error('four were opened')
    trust = new ConnectionTrust({
      limits: { ...limitsWith({ strangers }).strangers, waiting: 2 },
      settleMs: 3_000,
      clock
    })
    for (const each of [greedy, more, honest, another]) trust.track(each)
    expect([greedy, more, honest].map((each) => trust.keepWaiting(each))).toEqual([true, true, true])
    expect([greedy.status, more.status, honest.status]).toEqual(['open', 'aborted', 'open'])
    expect(trust.culprits.counts).toMatchObject([{ limit: 'strangers.waiting', count: 1 }])
    // A second one of its own site takes the place of nobody.
    expect(trust.keepWaiting(another)).toBe(false)
  })

  it('tells of a member once, and of its end once', () => {
    const seen: string[] = []
    trust.onMember((_connection, { name }) => seen.push(`member ${name}`))
    trust.onGone((_connection, { name }) => seen.push(`gone ${name}`))
    const [fake] = open(1)
    if (fake === undefined) throw new Error('one was opened')
    trust.prove(asConnection(fake), member)
    trust.prove(asConnection(fake), member)
    fake.abort()
    fake.abort()
    expect(seen).toEqual(['member a', 'gone a'])
  })

  it('closes what a revoked key has open, and members whose membership ended', () => {
    const stays = SigningKey.generate().publicKey
    const revoked = new FakeConnection()
    const ended = new FakeConnection()
    const other = new FakeConnection('inbound', stays)
    for (const fake of [revoked, other]) trust.prove(asConnection(fake), { ...member, publicKey: stays })
    trust.ended(member.publicKey)
    trust.prove(asConnection(ended), member)
    trust.recheck(() => true)
    const unheard = new FakeConnection('inbound', stays)
    trust.prove(asConnection(unheard), member)
    trust.recheck((publicKey) => publicKey === stays)
    // What proved itself by entries that are still on their way is left alone.
    expect(statuses([revoked, ended, other, unheard])).toEqual(['aborted', 'aborted', 'open', 'open'])
  })

  it('waits for the verdict on a young connection, and not for ever', async () => {
    const [proven, stranger, mute] = open(3).map(asConnection)
    if (proven === undefined || stranger === undefined || mute === undefined) throw new Error('three were opened')
    const verdicts = Promise.all([proven, stranger, mute].map((each) => trust.settled(each)))
    trust.prove(proven, member)
    trust.judgedStranger(stranger)
    await pass(3_000)
    expect(await verdicts).toEqual([true, false, false])
    expect(await trust.settled(proven)).toBe(true)
  })
})
