import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { UnadmittedRecords } from '../../../../src/registry/records/unadmitted-records.ts'
import { LimitError, NotMemberError, StaleRecordError, UnavailableError } from '../../../../src/runtime/errors.ts'
import { recordOf } from '../../../helpers/observations.ts'

const waitingFor = (limits: Partial<{ holdMs: number; heldRecords: number }> = {}): UnadmittedRecords => {
  const records = new UnadmittedRecords({ holdMs: 10_000, heldRecords: 8, ...limits })
  onTestFinished(() => records.close())
  return records
}

/** A promise that nobody has to wait for. */
const begun = (work: Promise<void>): Promise<void> => {
  work.catch(() => {})
  return work
}

describe('a record that came before the admission of its key', () => {
  it('goes on when the key is admitted, and no other one does', async () => {
    const records = waitingFor()
    const [ann, bob] = [SigningKey.generate(), SigningKey.generate()]
    const annWaits = begun(records.wait(recordOf(ann, 1), 'a'))
    const bobWaits = begun(records.wait(recordOf(bob, 1), 'a'))
    expect(records.size).toBe(2)
    records.admitted(ann.publicKey)
    await annWaits
    expect(records.size).toBe(1)
    records.admitted(SigningKey.generate().publicKey)
    records.close()
    await expect(bobWaits).rejects.toThrow(UnavailableError)
    expect(records.size).toBe(0)
  })

  it('gives way to a newer one of its key, and keeps out an older one', async () => {
    const records = waitingFor()
    const ann = SigningKey.generate()
    const first = begun(records.wait(recordOf(ann, 2), 'a'))
    await expect(records.wait(recordOf(ann, 1), 'a')).rejects.toThrow(StaleRecordError)
    await expect(records.wait(recordOf(ann, 2), 'b')).rejects.toThrow('waiting already')
    const second = begun(records.wait(recordOf(ann, 3), 'b'))
    await expect(first).rejects.toThrow('a newer record of this key came')
    records.admitted(ann.publicKey)
    await second
  })

  it('is refused where as many wait as may, of one asker a quarter of them', async () => {
    const records = waitingFor({ heldRecords: 8 })
    const wait = (asker: string): Promise<void> => records.wait(recordOf(SigningKey.generate(), 1), asker)
    for (const asker of ['a', 'a']) void begun(wait(asker))
    await expect(wait('a')).rejects.toThrow(LimitError)
    for (const asker of ['b', 'b', 'c', 'c', 'd', 'd']) void begun(wait(asker))
    await expect(wait('e')).rejects.toThrow('too many records wait')
    expect(records.size).toBe(8)
  })

  it('gives its place back, whether it was admitted or replaced by one of another asker', async () => {
    const records = waitingFor({ heldRecords: 4 })
    const ann = SigningKey.generate()
    void begun(records.wait(recordOf(ann, 1), 'a'))
    await expect(records.wait(recordOf(SigningKey.generate(), 1), 'a')).rejects.toThrow(LimitError)
    const taken = begun(records.wait(recordOf(ann, 2), 'b'))
    const again = begun(records.wait(recordOf(SigningKey.generate(), 1), 'a'))
    records.admitted(ann.publicKey)
    await taken
    void begun(records.wait(recordOf(SigningKey.generate(), 1), 'b'))
    expect(records.size).toBe(2)
    records.close()
    await expect(again).rejects.toThrow(UnavailableError)
  })

  it('is refused for its key when nobody admits it in time', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const records = waitingFor({ holdMs: 10_000 })
    const waits = begun(records.wait(recordOf(SigningKey.generate(), 1), 'a'))
    vi.advanceTimersByTime(9_999)
    expect(records.size).toBe(1)
    vi.advanceTimersByTime(1)
    await expect(waits).rejects.toThrow(NotMemberError)
    expect(records.size).toBe(0)
  })
})
