import { beforeEach, describe, expect, it } from 'vitest'
import { sealDelegation } from '../../../../../src/registry/log/log-writer.ts'
import {
  envelopesAfter,
  keyNumber,
  LogNetwork,
  type OpenStore,
  sendDelta,
  sendSnapshot
} from '../../../../helpers/log-network.ts'

/** More than two pages of whatever is read in pages. */
const members = 2100

let network: LogNetwork
let source: OpenStore
let follower: OpenStore

beforeEach(async () => {
  network = new LogNetwork()
  const started = await network.start()
  source = started
  follower = await network.follower(started.replica)
  await sendDelta(started.replica, follower.replica)
  const { networkId } = started.replica
  const appends = Array.from({ length: members / 300 }, (_, batch) =>
    started.root.append(Array.from({ length: 300 }, (_each, i) => network.admit(networkId, 10_000 + batch * 300 + i)))
  )
  await Promise.all(appends)
})

describe('a log of many pages', () => {
  it('is opened, sent and cut off as a whole', async () => {
    const forkN = follower.replica.head.n
    const snapshot = await network.follower(source.replica)
    await sendSnapshot(source.replica, snapshot.replica, 64 * 1024)
    await follower.replica.apply(envelopesAfter(source.replica, forkN), source.replica.checkpoint?.bytes)
    for (const { replica } of [snapshot, follower]) expect(replica.state.root()).toEqual(source.replica.state.root())
    source.close()
    const again = await network.open(source.path)
    expect(again.replica.state.memberCount).toBe(members + 1)
    expect(again.replica.state.root()).toEqual(follower.replica.state.root())

    const { replica } = follower
    await replica.apply([sealDelegation(replica, network.authority, keyNumber(1_000_000).publicKey, forkN).bytes])
    expect(replica.voided()).toHaveLength(members)
    expect(replica.state.memberCount).toBe(1)
    await network.rootOf(replica, keyNumber(1_000_000)).checkpoint()
    await sendSnapshot(replica, snapshot.replica)
    expect(snapshot.replica.voided()).toHaveLength(members)
    expect(snapshot.replica.state.root()).toEqual(replica.state.root())
  })
})
