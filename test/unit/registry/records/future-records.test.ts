import { describe, expect, it } from 'vitest'
import { openTestStore, recordOf, recordsOver } from '../../../helpers/observations.ts'
import { keyOf } from '../../../helpers/signed-objects.ts'

const key = keyOf(4)

describe('a record', () => {
  it('of the far future binds its own key alone', async () => {
    using store = openTestStore()
    const other = keyOf(5)
    const records = recordsOver(store)
    const future = { issuedMs: Date.UTC(2099, 0) }
    await records.put(recordOf(key, 1).bytes)
    const poison = recordOf(other, Number.MAX_SAFE_INTEGER, future).bytes
    await records.put(poison)
    // In the name of the first key: it stands behind the tag, the length and the type of the key.
    const stolen = Uint8Array.from(poison)
    stolen.set(key.publicKey, 6)
    await expect(records.put(stolen)).rejects.toMatchObject({ name: 'InvalidEnvelopeError' })
    expect(await records.put(recordOf(key, 2).bytes)).toMatchObject({ accepted: true })
    expect(records.get(key.publicKey)?.seq).toBe(2)
    expect(records.count()).toBe(2)
  })
})
