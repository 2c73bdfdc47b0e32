import { beforeEach, describe, expect, it } from 'vitest'
import type { SigningKey } from '../../../../../src/identity/keys.ts'
import type { EntryDraft } from '../../../../../src/registry/log/log-writer.ts'
import { orderedIn } from '../../../../../src/registry/log/state/proofs.ts'
import type { EntryPosition } from '../../../../../src/registry/objects/entry.ts'
import { type Order, sealOrder } from '../../../../../src/registry/objects/orders/order.ts'
import { keyNumber } from '../../../../helpers/log-network.ts'
import { authority, key, LogState, logKey } from '../../../../helpers/registry/log-state.ts'

let log: LogState
const [ann, ben, cid] = [keyNumber(31), keyNumber(32), keyNumber(33)]

beforeEach(() => {
  log = new LogState()
  log.take(log.admit(0))
  log.take(log.admit(1))
})

const operator = (of: SigningKey, name: string, removed = false): EntryDraft => ({
  kind: 'operator',
  body: { publicKey: of.publicKey, name, removed }
})

/** Orders of these operators for the entry. */
const by = (keys: readonly SigningKey[], content: EntryDraft, changes: Partial<Order> = {}): Partial<EntryPosition> => {
  const { epoch, n: seenN } = log.state.head
  const told = { networkId: log.networkId, epoch, seenN, timeMs: log.network.clock.now(), ...orderedIn(content) }
  return { orders: keys.map((each) => sealOrder({ ...told, ...changes }, each).bytes) }
}
const take = (content: EntryDraft, ...keys: SigningKey[]): number[] => log.take(content, logKey, by(keys, content))
const refusal = (content: EntryDraft, ...keys: SigningKey[]): string => log.refusal(content, logKey, by(keys, content))

/** The state that the live entries alone lead to. */
const expectSame = (): void => {
  const state = log.newState()
  for (const n of log.state.live()) if (n > 0) state.load(log.entry(n))
  state.finishLoad(log.state.head)
  expect([state.root(), state.rows, state.bytes]).toEqual([log.state.root(), log.state.rows, log.state.bytes])
  expect(state.operators()).toEqual(log.state.operators())
}

describe('operators', () => {
  it('are rows of the state, in a compacted log too, and leave nothing when they are removed', () => {
    const before = log.state.live()
    take(operator(ann, 'ann'))
    const { n } = log.state.head
    expect(log.state.operator(ann.publicKey)).toMatchObject({ name: 'ann', n })
    expectSame()
    take(operator(ben, 'ben'), ann)
    expect(take(operator(ann, 'ann', true), ben)).toEqual([n, n + 2])
    expect(log.state.operators().map(({ name }) => name)).toEqual(['ben'])
    expect(log.state.live()).toEqual([...before, n + 1])
    expectSame()
  })

  it('are taken back as a whole when their commit fails', () => {
    take(operator(ann, 'ann'))
    const before = { root: log.state.root(), live: log.state.live() }
    log.state.begin()
    log.state.apply(log.next(operator(ben, 'ben')))
    log.state.apply(log.next(operator(ann, 'ann', true)))
    log.state.undoTo(0)
    log.state.settle()
    expect({ root: log.state.root(), live: log.state.live() }).toEqual(before)
  })

  it('are 64 at most', () => {
    take(operator(ann, 'ann'))
    for (let i = 1; i < 64; i++) take(operator(keyNumber(500 + i), `op-${i}`), ann)
    expect(refusal(operator(ben, 'ben'), ann)).toBe('LimitError')
  })

  it('are removed by key and name', () => {
    take(operator(ann, 'ann'))
    take(operator(ben, 'ben'), ann)
    expect(refusal(operator(ben, 'benny', true), ann)).toBe('NotFoundError')
    expect(refusal(operator(cid, 'cid', true), ann)).toBe('NotFoundError')
  })

  it('are void above the fork of a new epoch, and so is what they order', () => {
    take(operator(ann, 'ann'))
    const fork = log.state.head
    const order = by([ann], log.network.policy())
    const delegate = { kind: 'delegate', body: { logKey: key(8) } } as const
    log.take(delegate, authority, { epoch: 1 })
    expect(log.state.keys.epochs.at(-1)?.forkN).toBe(fork.n)
    expect(log.refusal(log.network.policy(), keyNumber(8), order)).toBe('ChangedMeanwhileError')
    expect(log.refusal(log.network.policy(), keyNumber(8), by([ann], log.network.policy()))).toBe('taken')
  })
})

/** Each with an entry of before that it is about. */
const cases: [string, EntryDraft['kind'], () => { before?: EntryDraft; content: EntryDraft }][] = [
  [
    'a member',
    'change',
    () => ({
      content: { kind: 'change', body: { publicKey: key(1), name: 'm1', role: 'integrated', groups: ['web'] } }
    })
  ],
  [
    'a member to be revoked',
    'revoke',
    () => ({ content: { kind: 'revoke', body: { publicKey: key(1), reason: '', name: 'm1' } } })
  ],
  ['a member to be let go', 'end', () => ({ content: { kind: 'end', body: { publicKey: key(1), reason: '' } } })],
  ['a member that comes again', 'admit', () => ({ content: log.admit(1, { name: 'other' }) })],
  [
    'a registry',
    'registrySet',
    () => ({ before: log.network.registrySet(1), content: log.network.registrySet(1, true) })
  ],
  ['a publisher', 'publisher', () => ({ before: log.network.publisher(1), content: log.network.publisher(1, true) })],
  ['an invite', 'grantEnd', () => ({ before: log.network.grant(1), content: log.network.grantEnd(1) })],
  ['an operator', 'operator', () => ({ before: operator(ben, 'ben'), content: operator(ben, 'ben', true) })],
  ['the policy', 'policy', () => ({ before: log.network.policy(), content: log.network.policy() })]
]

describe('an order', () => {
  it.each(cases)('for %s is void when that has changed since', (_, _kind, make) => {
    take(operator(ann, 'ann'))
    const seen = log.state.head.n
    const { before, content } = make()
    const changes =
      before ??
      ({ kind: 'change', body: { publicKey: key(1), name: 'm1', role: 'integrated', groups: ['db'] } } as const)
    log.take(changes, logKey, by([ann], changes))
    expect(log.refusal(content, logKey, by([ann], content, { seenN: seen }))).toBe('ChangedMeanwhileError')
    expect(log.refusal(content, logKey, by([ann], content))).toBe('taken')
  })

  it('for a document is void when that has changed since', () => {
    take(operator(ann, 'ann'))
    log.take({ kind: 'publisher', body: { publicKey: key(1), removed: false } })
    const seen = log.state.head.n
    log.take(log.network.publish('motd', 1, 10, key(1)))
    const retire = log.network.retire('motd')
    expect(log.refusal(retire, logKey, by([ann], retire, { seenN: seen }))).toBe('ChangedMeanwhileError')
    const gone = log.network.retire('gone')
    expect(log.refusal(gone, logKey, by([ann], gone))).toBe('NotFoundError')
  })

  it('is opened with its entry: for this kind and body, by the key that it names', () => {
    take(operator(ann, 'ann'))
    const content = log.network.grant(1)
    expect(log.refusal(content, logKey, by([ann], content, { kind: 3 }))).toBe('InvalidPayloadError')
    expect(log.refusal(content, logKey, by([ann], log.network.grant(2)))).toBe('InvalidPayloadError')
    expect(log.refusal(content, logKey, by([ben], content))).toBe('NotOperatorError')
  })
})

describe('acts that need two operators', () => {
  const twoFor = (...kinds: number[]): EntryDraft => log.network.policy({ twoOperators: kinds })
  const all = [1, 3, 5, 8, 10, 13, 15]

  beforeEach(() => {
    take(operator(ann, 'ann'))
    take(operator(ben, 'ben'), ann)
    take(log.network.grant(1, { uses: 3, ephemeralMs: 60_000 }), ann)
    take(log.network.grant(2, { name: 'm2', replaces: 'm1' }), ann)
    take(log.network.registrySet(1))
    take(twoFor(...all), ann)
  })

  it('are taken with the orders of two', () => {
    const removal = log.network.registrySet(1, true)
    expect([refusal(removal), refusal(removal, ann), refusal(removal, ann, ann)]).toEqual([
      'NotOperatorError',
      'SecondOperatorError',
      'SecondOperatorError'
    ])
    expect(refusal(removal, ann, ben)).toBe('taken')
    expect(refusal(log.admit(5), ann)).toBe('SecondOperatorError')
    expect(refusal(log.network.publisher(1), ann)).toBe('SecondOperatorError')
    expect(refusal({ kind: 'revoke', body: { publicKey: key(0), reason: '', name: 'm0' } }, ann)).toBe(
      'SecondOperatorError'
    )
    expect(refusal({ kind: 'revoke', body: { publicKey: key(7), reason: '' } }, ann)).toBe('SecondOperatorError')
    expect(refusal(log.network.grantEnd(1), ann)).toBe('SecondOperatorError')
    expect(refusal({ kind: 'end', body: { publicKey: key(0), reason: '' } })).toBe('NotOperatorError')
    expect(refusal(operator(cid, 'cid'), ann)).toBe('taken')
  })

  it('are none of what no person causes', () => {
    // Said once more, without a change.
    expect(refusal(log.admit(1))).toBe('taken')
    // The invite says so.
    expect(refusal({ kind: 'revoke', body: { publicKey: key(1), reason: '', name: 'm1' } })).toBe('taken')
    expect(refusal(log.network.registrySet(1))).toBe('taken')
    expect(refusal(log.network.renew({ networkId: log.networkId, state: log.state }, 1))).toBe('taken')
    const invited = log.admit(3, { invite: 1 })
    take({ ...invited, body: { ...invited.body, ephemeralMs: 60_000 } } as EntryDraft)
    expect(refusal({ kind: 'end', body: { publicKey: key(3), reason: '' } })).toBe('taken')
    log.network.clock.nowMs += 26 * 3_600_000
    expect(refusal(log.network.grantEnd(1))).toBe('taken')
    expect(refusal(log.network.grantEnd(9), ann, ben)).toBe('NotFoundError')
    expect(refusal({ kind: 'unknown', kindNumber: 99, body: new Uint8Array() } as never)).toBe('taken')
  })
})
