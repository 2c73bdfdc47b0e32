import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { diffStores } from '../../../../src/registry/backup/diff-stores.ts'
import { RealNetwork, recordBy } from '../../../helpers/real-network.ts'
import { tempFolder } from '../../../helpers/temp.ts'

const none = { newerHere: 0, newerThere: 0, onlyHere: 0, onlyThere: 0 }

/** Copies of one store, before and after its members showed new records. */
async function copies(before: readonly number[], after: readonly number[]) {
  const folder = tempFolder()
  onTestFinished(() => folder[Symbol.dispose]())
  await using network = await RealNetwork.create()
  const key = await network.admit('ann')
  const [old, young] = [join(folder.path, 'old.db'), join(folder.path, 'young.db')]
  const show = async (seqs: readonly number[]): Promise<void> => {
    for (const seq of seqs) await network.root.records.put(recordBy(network.root, key, seq))
  }
  await show(before)
  await network.root.backup(old)
  await show(after)
  await network.root.backup(young)
  return { old, young, publicKey: Buffer.from(key.publicKey) }
}

describe('records of two stores', () => {
  it.each([
    ['a newer one', [1], [2], { newerHere: 1 }, { newerThere: 1 }, [2, 1]],
    ['one that only one of them has', [], [7], { onlyHere: 1 }, { onlyThere: 1 }, [7, undefined]]
  ] as const)('with %s are told apart, both ways', async (_what, before, after, forth, back, [here, there]) => {
    const { old, young, publicKey } = await copies(before, after)
    const [one, other] = [diffStores(young, old), diffStores(old, young)]
    expect(one.records).toEqual({ ...none, ...forth })
    expect(other.records).toEqual({ ...none, ...back })
    const shown = (diff: typeof one) =>
      diff.differing.map((each) => ({ ...each, publicKey: Buffer.from(each.publicKey) }))
    expect(shown(one)).toEqual([{ publicKey, here, there }])
    expect(shown(other)).toEqual([{ publicKey, here: there, there: here }])
    expect(one.digest).not.toEqual(one.otherDigest)
    expect(one.digest).toEqual(other.otherDigest)
  })

  it('that are the same are no difference', async () => {
    const { old, young } = await copies([3], [])
    const { records, differing, digest, otherDigest } = diffStores(young, old)
    expect([records, differing, digest]).toEqual([none, [], otherDigest])
  })

  it('are all counted, and fifty of them are shown', async () => {
    using folder = tempFolder()
    await using network = await RealNetwork.create()
    const keys = Array.from({ length: 51 }, () => SigningKey.generate())
    for (const [index, key] of keys.entries()) await network.admit(`m${index}`, key)
    const [old, young] = [join(folder.path, 'old.db'), join(folder.path, 'young.db')]
    await network.root.backup(old)
    await Promise.all(keys.map((key) => network.root.records.put(recordBy(network.root, key, 1))))
    await network.root.backup(young)
    const { records, differing } = diffStores(young, old)
    expect([records, differing.length]).toEqual([{ ...none, onlyHere: 51 }, 50])
  })
})
