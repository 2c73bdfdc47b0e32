import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { makeForkProof, verifyForkProof } from '../../../../../src/registry/log/forks/fork-proof.ts'
import { writeForkProof } from '../../../../../src/registry/log/forks/write-fork-proof.ts'
import type { Replica } from '../../../../../src/registry/log/replica.ts'
import { sealEntry } from '../../../../../src/registry/objects/entry.ts'
import { silentLogger } from '../../../../../src/runtime/clock-and-logger.ts'
import { WrongNetworkError } from '../../../../../src/runtime/errors.ts'
import { keyNumber, LogNetwork, refusalOf, sendDelta } from '../../../../helpers/log-network.ts'
import { tempFolder } from '../../../../helpers/temp.ts'

let network: LogNetwork
/** It has seen both histories of a root that was restored from a copy. */
let replica: Replica

beforeEach(async () => {
  network = new LogNetwork()
  const { path } = await network.create()
  const copy = network.newPath()
  copyFileSync(path, copy)
  const [one, two] = [await network.open(path), await network.open(copy)]
  ;({ replica } = await network.follower(one.replica))
  await network.rootOf(one.replica).append([network.admit(one.replica.networkId, 2)])
  await network.rootOf(two.replica).append([network.admit(two.replica.networkId, 3)])
  await sendDelta(one.replica, replica)
  await refusalOf(replica.apply([], two.replica.checkpoint?.bytes))
})

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('there is none')
  return value
}

describe('two histories of one epoch', () => {
  it('are proven by no other file, by none of another network, and by nothing that somebody else has signed', async () => {
    const row = required(replica.forks()[0])
    const proof = makeForkProof(replica, row)
    expect(() => verifyForkProof(proof)).not.toThrow()
    for (const text of ['', 'x', '{}']) expect(() => verifyForkProof(text)).toThrow('no proof of a fork')
    const moved: { network: string } = JSON.parse(proof)
    const elsewhere = JSON.stringify({ ...moved, network: 'tn' })
    expect(() => verifyForkProof(elsewhere)).toThrow('not that of the network')
    const { networkId, head } = replica
    const position = { networkId, n: head.n, prevHash: head.hash, epoch: 0, timeMs: 1 }
    const stranger = sealEntry({ ...position, ...network.revoke(1) }, keyNumber(77))
    expect(() => verifyForkProof(makeForkProof(replica, { ...row, envelope: stranger.bytes }))).toThrow(
      'is not signed by the log key'
    )
    const foreign = sealEntry({ ...position, networkId: new Uint8Array(32), ...network.revoke(1) }, network.logKey)
    expect(() => verifyForkProof(makeForkProof(replica, { ...row, envelope: foreign.bytes }))).toThrow(
      WrongNetworkError
    )
  })

  it('are written to a file where there is a folder, and are told where there is none', async () => {
    const { epoch, n } = required(replica.forks()[0])
    using folder = tempFolder()
    const told: string[] = []
    const logger = { ...silentLogger, error: (_: object, message: string) => told.push(message) }
    const path = writeForkProof({ replica, folder: folder.path, logger }, { epoch, n })
    expect(() => verifyForkProof(readFileSync(required(path), 'utf8'))).not.toThrow()
    expect(writeForkProof({ replica, folder: folder.path, logger }, { epoch: 9, n })).toBeUndefined()
    expect(told).toEqual([])
    const nowhere = join(folder.path, 'none')
    expect(writeForkProof({ replica, folder: nowhere, logger }, { epoch, n })).toBeUndefined()
    expect(told).toEqual([expect.stringContaining('it is in the store alone')])
  })
})
