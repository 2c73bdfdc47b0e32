import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { sha256 } from '../../../../../src/identity/hash.ts'
import { makeForkProof, verifyForkProof } from '../../../../../src/registry/log/forks/fork-proof.ts'
import { writeForkProof } from '../../../../../src/registry/log/forks/write-fork-proof.ts'
import { sealAuthority, sealDelegation } from '../../../../../src/registry/log/log-writer.ts'
import type { Replica } from '../../../../../src/registry/log/replica.ts'
import { openCheckpoint, sealCheckpoint } from '../../../../../src/registry/objects/checkpoint.ts'
import { sealEntry } from '../../../../../src/registry/objects/entry.ts'
import { silentLogger } from '../../../../../src/runtime/clock-and-logger.ts'
import { InvalidEnvelopeError, WrongNetworkError } from '../../../../../src/runtime/errors.ts'
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

  it('are kept as 16 proofs of an epoch: more say no more', async () => {
    const told: number[] = []
    replica.events.addEventListener('fork', ({ detail }) => told.push(detail.n))
    const row = required(replica.forks()[0])
    for (let n = 100; n < 120; n++) {
      await replica.ledger.keepFork({ ...row, n, hash: keyNumber(n).publicKey, other: undefined })
    }
    expect([told.length, replica.forks().length, replica.isForked]).toEqual([15, 16, true])
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

describe('a proof', () => {
  it('without the side that was held proves nothing', () => {
    const proof = makeForkProof(replica, { ...required(replica.forks()[0]), other: null })
    expect(() => verifyForkProof(proof)).toThrow(InvalidEnvelopeError)
  })

  it('shows how the authority was replaced, and that one has opened two epochs of one number', async () => {
    const third = sha256(keyNumber(1011).publicKey)
    await replica.apply([sealDelegation(replica, network.authority, keyNumber(1005).publicKey).bytes])
    await replica.apply([sealAuthority(replica, network.nextAuthority, third).bytes])
    const [one, other] = [1006, 1007].map((number) =>
      sealDelegation(replica, network.nextAuthority, keyNumber(number).publicKey)
    )
    await replica.apply([required(one).bytes])
    const { n, epoch } = required(one).value
    const place = { kind: 'fork', id: 1, epoch, n, subject: null, atMs: 1 } as const
    const row = { ...place, hash: required(one).hash, envelope: required(one).bytes, other: required(other).bytes }
    expect(verifyForkProof(makeForkProof(replica, row))).toMatchObject({ kind: 'two', n, epoch: 2 })
    const byFormer = sealDelegation(replica, network.authority, keyNumber(1008).publicKey)
    const framed = makeForkProof(replica, { ...row, other: byFormer.bytes })
    expect(() => verifyForkProof(framed)).toThrow('is not signed by the log key')
  })

  it('is none of what the key of an epoch signs where that epoch does not count', async () => {
    const { networkId, head } = replica
    const forkN = head.n
    await replica.apply([sealDelegation(replica, network.authority, keyNumber(1005).publicKey).bytes])
    const position = { networkId, n: forkN + 1, prevHash: head.hash, epoch: 0, timeMs: 1 }
    const late = sealEntry({ ...position, ...network.revoke(2) }, network.logKey)
    const { value } = required(
      replica.forks()[0] && openCheckpoint(replica.forks()[0]?.envelope ?? new Uint8Array(), networkId)
    )
    const state = replica.state
    const without = sealCheckpoint({ ...value, n: forkN + 2, stateRoot: state.root() }, network.logKey)
    const row = { ...required(replica.forks()[0]), other: late.bytes, envelope: without.bytes }
    const proof = makeForkProof(replica, row, state.witness('revoked', keyNumber(2).publicKey))
    expect(() => verifyForkProof(proof)).toThrow('prove nothing')
  })
})
