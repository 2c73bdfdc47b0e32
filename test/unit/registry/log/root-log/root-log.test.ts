import { describe, expect, it } from 'vitest'
import { SqliteRootLog } from '../../../../../src/registry/log/root-log/sqlite-root-log.ts'
import { LogNetwork, refusalOf, sendDelta } from '../../../../helpers/log-network.ts'
import { ModelRootLog } from '../../../../helpers/registry/model-root-log.ts'
import { type LogToKeep, rootLogSuite } from '../../../../helpers/registry/root-log-suite.ts'

const expiring = ({ network }: LogToKeep) => ({
  expire: async () => {
    network.clock.nowMs += 3000
  }
})

rootLogSuite('SQLite', async (kept) => {
  const { network, start, store } = kept
  const path = network.newPath()
  const { replica } = await network.open(path, store.replica.genesis.bytes)
  const founding = store.replica.read(0, Number.MAX_SAFE_INTEGER).filter(({ n }) => n <= start.head.n)
  await replica.apply(
    founding.map(({ envelope }) => envelope),
    start.checkpoint
  )
  const log = new SqliteRootLog(replica.ledger)
  return { log, other: new SqliteRootLog(replica.ledger), ...expiring(kept) }
})

rootLogSuite('a model', async (kept) => {
  const log = new ModelRootLog(kept.network.clock)
  return { log, other: log, ...expiring(kept) }
})

describe('a root whose log is in its own store', () => {
  it('appends nothing any more when another root has begun in it', async () => {
    const network = new LogNetwork()
    const { root, replica } = await network.start()
    await root.append([network.admit(replica.networkId, 1)])
    const other = network.rootOf(replica)
    await other.append([network.admit(replica.networkId, 2)])
    const { n } = replica.head
    expect(await refusalOf(root.append([network.admit(replica.networkId, 3)]))).toBe('LeaseLostError')
    expect(replica.head.n).toBe(n)
    await other.append([network.admit(replica.networkId, 4)])
    expect(replica.head.n).toBe(n + 1)
  })

  it('has a higher term with each start, which a commit that failed does not count', async () => {
    const network = new LogNetwork()
    const store = await network.start()
    const { root, replica, path } = store
    const termOf = async (of: typeof replica) => (await new SqliteRootLog(of.ledger).state())?.lease.term
    const before = (await termOf(replica)) ?? 0
    expect(await refusalOf(root.append([network.admit(replica.networkId, 1, { name: 'root' })]))).toBe('NameTakenError')
    await root.append([network.admit(replica.networkId, 1)])
    await root.append([network.admit(replica.networkId, 2)])
    expect(await termOf(replica)).toBe(before + 1)
    const follower = await network.follower(replica)
    await sendDelta(replica, follower.replica)
    expect(await termOf(follower.replica)).toBeUndefined()
    store.close()
    const again = await network.open(path)
    await network.rootOf(again.replica).checkpoint()
    expect(await termOf(again.replica)).toBe(before + 2)
  })
})
