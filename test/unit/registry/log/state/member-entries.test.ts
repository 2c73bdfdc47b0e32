import { beforeEach, describe, expect, it } from 'vitest'
import type { EntryDraft } from '../../../../../src/registry/log/log-writer.ts'
import type { Change } from '../../../../../src/registry/objects/member-entries.ts'
import { key, LogState } from '../../../../helpers/registry/log-state.ts'

let log: LogState

beforeEach(() => {
  log = new LogState()
  log.take(log.admit(0))
})

const change = (member: number, changes: Partial<Change> = {}): EntryDraft => ({
  kind: 'change',
  body: { publicKey: key(member), name: `m${member}`, role: 'integrated', groups: [], ...changes }
})
const end = (member: number): EntryDraft => ({ kind: 'end', body: { publicKey: key(member), reason: '' } })

/** The state that the live entries alone lead to. */
const reloaded = () => {
  const state = log.newState()
  for (const n of log.state.live()) if (n > 0) state.load(log.entry(n))
  state.finishLoad(log.state.head)
  return state
}

const expectSame = (): void => {
  const state = reloaded()
  expect(state.root()).toEqual(log.state.root())
  expect([state.rows, state.bytes]).toEqual([log.state.rows, log.state.bytes])
}

describe('a changed member', () => {
  it('has the name, role and groups of its newest change, and one change is live', () => {
    log.take(log.admit(1))
    const first = log.state.head.n + 1
    expect(log.take(change(1, { name: 'first' }))).toEqual([])
    expect(log.take(change(1, { name: 'second', role: 'external', groups: ['db'] }))).toEqual([first])
    expect(log.state.member(key(1))).toMatchObject({ name: 'second', role: 'external', groups: ['db'] })
    expect([log.state.memberByName('first'), log.state.memberByName('second')?.name]).toEqual([undefined, 'second'])
    expectSame()
  })

  it('is the same in a compacted log where others have got and given away its names', () => {
    log.take(log.admit(1, { name: 'a' }))
    log.take(change(1, { name: 'b' }))
    log.take(log.admit(2, { name: 'a' }))
    log.take(change(1, { name: 'c' }))
    expectSame()
    log.take(change(2, { name: 'd' }))
    log.take(change(1, { name: 'a' }))
    log.take(change(2, { name: 'e' }))
    expectSame()
    expect(log.state.memberByName('a')?.publicKey).toEqual(key(1))
    log.take(end(1))
    expectSame()
  })

  it('leaves its name of before to whoever has got it, also when its key is rotated meanwhile', () => {
    log.take(log.admit(1, { name: 'a' }))
    log.take(change(1, { name: 'b' }))
    log.take(log.admit(2, { name: 'a' }))
    log.take(log.network.rotate(log.networkId, 1, 3))
    log.take(change(3, { name: 'c' }))
    expectSame()
    expect(log.state.memberByName('a')?.publicKey).toEqual(key(2))
  })

  it('loses its change with a new admission', () => {
    log.take(log.admit(1))
    log.take(change(1, { name: 'a', groups: ['web'] }))
    expectSame()
    log.take(log.admit(1, { name: 'b' }))
    expect(log.state.member(key(1))).toMatchObject({ name: 'b', groups: [] })
    expectSame()
  })

  it('must be there, also in a compacted log', () => {
    expect(log.refusal(change(9))).toBe('NotMemberError')
    expect(log.refusal(end(9))).toBe('NotMemberError')
    for (const content of [change(9), end(9)]) {
      const entry = log.next(content)
      expect(() => log.newState().apply(entry)).toThrow('that is not there')
    }
  })
})

describe('a membership that ends', () => {
  it('leaves nothing behind, and the key is admitted again', () => {
    const before = log.state.live()
    log.take(log.admit(1))
    log.take(change(1, { name: 'a' }))
    const { n } = log.state.head
    expect(log.take(end(1))).toEqual([n - 1, n, n + 1])
    expect(log.state.live()).toEqual(before)
    expect(log.state.isRevoked(key(1))).toBe(false)
    expectSame()
    log.take(log.admit(2, { name: 'a' }))
    log.take(log.admit(1))
    expectSame()
  })

  it('counts as a use of its invite as long as that is open, which lets the key in no more', () => {
    const invite = log.state.head.n + 1
    log.take(log.network.grant(1, { uses: 3 }))
    log.take(log.admit(1, { invite: 1 }))
    expect(log.take(end(1))).toEqual([])
    expect(log.state.live()).toEqual(expect.arrayContaining([invite, invite + 1, invite + 2]))
    expectSame()
    expect(log.refusal(log.admit(1, { invite: 1 }))).toBe('InviteUsedError')
    // By the word of the operator it is admitted, and let go, once more.
    log.take(log.admit(1))
    log.take(end(1))
    expectSame()
    log.take(log.admit(2, { invite: 1 }))
    const { n } = log.state.head
    expect(log.take(log.admit(3, { invite: 1 }))).toEqual([invite, invite + 1, invite + 2])
    expect(log.state.head.n).toBe(n + 1)
    expectSame()
  })

  it('is taken back as a whole when its commit fails', () => {
    log.take(log.network.grant(1, { uses: 3 }))
    log.take(log.admit(1, { invite: 1 }))
    const before = { root: log.state.root(), live: log.state.live() }
    log.state.begin()
    log.state.apply(log.next(end(1)))
    log.state.undoTo(0)
    log.state.settle()
    expect({ root: log.state.root(), live: log.state.live() }).toEqual(before)
    expect(log.refusal(log.admit(1, { invite: 1 }))).toBe('taken')
  })
})
