import { beforeEach, describe, expect, it } from 'vitest'
import { Hello } from '../../../src/protocols/hello/pb/hello.ts'
import { RegistryHello } from '../../../src/protocols/hello/registry-hello.ts'
import { sealDelegation } from '../../../src/registry/log/log-writer.ts'
import type { Replica } from '../../../src/registry/log/replica.ts'
import { sealCheckpoint } from '../../../src/registry/objects/checkpoint.ts'
import { sealEntry } from '../../../src/registry/objects/entry.ts'
import { keyNumber, LogNetwork, sendDelta } from '../../helpers/log-network.ts'

const mallory = keyNumber(9)
const [second, third] = [keyNumber(1006), keyNumber(1007)]

let network: LogNetwork
/** Stands in epoch 2. */
let stale: Replica
/** Stands in epoch 3, which branched off below epochs 1 and 2. */
let newest: Replica

beforeEach(async () => {
  network = new LogNetwork()
  const { replica: source, root } = await network.start()
  await root.append([1, 2].map((member) => network.admit(source.networkId, member)))
  stale = (await network.follower(source)).replica
  newest = (await network.follower(source)).replica
  await sendDelta(source, stale)
  await sendDelta(source, newest)
  const forkN = newest.head.n - 1
  for (const { publicKey } of [keyNumber(1005), second]) {
    const { bytes } = sealDelegation(newest, network.authority, publicKey)
    await stale.apply([bytes])
    await newest.apply([bytes])
  }
  await newest.apply([sealDelegation(newest, network.authority, third.publicKey, forkN).bytes])
})

/** Hello of somebody whom a log key has admitted behind the head of that replica. */
function helloOf(replica: Replica, logKey = second): Hello {
  const { networkId, genesis } = replica
  const { n, hash: prevHash, epoch } = replica.head
  const timeMs = network.clock.now()
  const place = { networkId, n: n + 1, prevHash, epoch, timeMs }
  const entry = sealEntry({ ...place, ...network.admit(networkId, 9) }, logKey)
  const state = { stateRoot: prevHash, rows: 1, bytes: 1 }
  const checkpoint = { networkId, epoch, n: n + 1, headHash: entry.hash, timeMs, ...state }
  const shown = {
    networkId,
    genesis: genesis.bytes,
    delegations: replica.delegations(),
    checkpoint: sealCheckpoint(checkpoint, logKey).bytes,
    admit: entry.bytes
  }
  return Hello.decode(Hello.encode(shown))
}

async function verdict(replica: Replica, hello: Hello): Promise<string> {
  const { networkId, genesis } = replica
  const { publicKey } = keyNumber(2)
  const init = { publicKey, software: 'test', maxDelegations: 64, clock: network.clock }
  const judge = new RegistryHello({ networkId, genesis, role: 'secondary', replica }, init)
  return (await judge.judge(hello, mallory.publicKey)).kind
}

describe('a newer epoch that branched off below others', () => {
  it('takes no member from the log key of one of those, however many delegations lead to it', async () => {
    expect([stale.delegations().length, newest.delegations().length]).toEqual([2, 1])
    expect(await verdict(newest, helloOf(stale))).toBe('stranger')
  })

  it('is followed by those who stand in one of those, although fewer delegations lead to it', async () => {
    expect(await verdict(stale, helloOf(newest, third))).toBe('member')
  })
})
