import { describe, expect, it } from 'vitest'
import {
  type AppendOutcome,
  AppendQueue,
  type AppendRequest,
  type EntryDraft,
  maxBatchEntries
} from '../../../../src/registry/log/append-queue.ts'
import { UnavailableError } from '../../../../src/runtime/errors.ts'

const draft: EntryDraft = { kind: 'end', body: { publicKey: new Uint8Array(32), reason: 'test' } }
const drafts = (count: number): EntryDraft[] => Array.from({ length: count }, () => draft)

/** Commits that wait until each is let go on, and what they took. */
class Commits {
  readonly batches: AppendRequest[][] = []
  readonly #gates = Array.from({ length: 30 }, () => Promise.withResolvers<void>())
  #begun = 0
  #let = 0
  outcome: (request: AppendRequest) => AppendOutcome = (request) => ({ request, entries: [] })

  readonly commit = async (take: () => AppendRequest[]): Promise<AppendOutcome[]> => {
    await this.#gates[this.#begun++]?.promise
    const batch = take()
    this.batches.push(batch)
    return batch.map((request) => this.outcome(request))
  }

  /** Lets the next commit go on, or fail before it takes anything. */
  next(error?: Error): void {
    const gate = this.#gates[this.#let++]
    if (error === undefined) gate?.resolve()
    else gate?.reject(error)
  }
}

describe('what is to be appended', () => {
  it('shares the commit that is about to begin, in the order in which it was asked for', async () => {
    const commits = new Commits()
    const queue = new AppendQueue(commits.commit)
    const all = [1, 2, 3].map((count) => queue.add(drafts(count), {}))
    commits.next()
    await Promise.all(all)
    expect(commits.batches.map((batch) => batch.map(({ bodies }) => bodies.length))).toEqual([[1, 2, 3]])
  })

  it('is never cut in two: a batch ends before the request that would make it too long', async () => {
    const commits = new Commits()
    const queue = new AppendQueue(commits.commit)
    const all = [maxBatchEntries - 1, 1, 2].map((count) => queue.add(drafts(count), {}))
    commits.next()
    await Promise.all(all.slice(0, 2))
    commits.next()
    await all[2]
    expect(commits.batches.map((batch) => batch.map(({ bodies }) => bodies.length))).toEqual([
      [maxBatchEntries - 1, 1],
      [2]
    ])
  })

  it('fails alone when it breaks a rule, and together when the commit fails', async () => {
    const commits = new Commits()
    const queue = new AppendQueue(commits.commit)
    commits.outcome = (request) =>
      request.bodies.length === 2 ? { request, error: new Error('a rule forbids it') } : { request, entries: [] }
    const [good, bad] = [queue.add(drafts(1), {}), queue.add(drafts(2), {})]
    commits.next()
    expect(await good).toEqual([])
    await expect(bad).rejects.toThrow('a rule forbids it')
    const both = [queue.add(drafts(1), {}), queue.add(drafts(3), {})]
    commits.next(new Error('the disk is full'))
    for (const each of both) await expect(each).rejects.toThrow('the disk is full')
    const after = queue.add(drafts(1), {})
    commits.next()
    expect(await after).toEqual([])
  })

  it('is refused when it is too long for a commit, or when too much waits, and taken again once there is room', async () => {
    const commits = new Commits()
    const queue = new AppendQueue(commits.commit)
    await expect(queue.add(drafts(maxBatchEntries + 1), {})).rejects.toThrow(UnavailableError)
    const waiting = Array.from({ length: 20 }, () => queue.add(drafts(maxBatchEntries), {}))
    await expect(queue.add(drafts(1), {})).rejects.toThrow('too many entries wait')
    commits.next()
    await waiting[0]
    const taken = queue.add(drafts(1), {})
    for (const each of waiting.slice(1)) {
      commits.next()
      await each
    }
    commits.next()
    expect(await taken).toEqual([])
  })

  it('is finished before the queue is closed, and refused from then on', async () => {
    const commits = new Commits()
    const queue = new AppendQueue(commits.commit)
    const begun = queue.add(drafts(1), {})
    const closed = queue.close()
    const isClosed = (): Promise<boolean> => Promise.race([closed.then(() => true), Promise.resolve(false)])
    await expect(queue.add(drafts(1), {})).rejects.toThrow('shutting down')
    expect(await isClosed()).toBe(false)
    commits.next()
    await Promise.all([begun, closed])
    await new AppendQueue(commits.commit).close()
  })
})
