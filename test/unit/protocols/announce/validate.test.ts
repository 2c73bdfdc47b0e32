import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { peerIdText, type SigningKey } from '../../../../src/identity/keys.ts'
import { encodeAnnouncement, encodeCosigned } from '../../../../src/protocols/announce/message.ts'
import { type JudgeInit, judge } from '../../../../src/protocols/announce/validate.ts'
import { defaultLimits } from '../../../../src/protocols/engine/limits.ts'
import { type Checkpoint, sealCheckpoint } from '../../../../src/registry/objects/checkpoint.ts'
import { sealRecord } from '../../../../src/registry/objects/record.ts'
import { openRegistry, type Registry } from '../../../../src/registry/registry.ts'
import { cosign } from '../../../../src/registry/witness/cosignature.ts'
import { silentLogger } from '../../../../src/runtime/clock-and-logger.ts'
import { keyNumber, LogNetwork } from '../../../helpers/log-network.ts'
import { aRecord, otherNetworkId } from '../../../helpers/signed-objects.ts'

let log: LogNetwork
let registry: Registry
let newer: Checkpoint[]
let allowed: boolean

const member = keyNumber(1)
const authorOf = ({ publicKey }: SigningKey) => ({ publicKey, text: peerIdText(publicKey) })

const judged = (data: Uint8Array, author: SigningKey = member) => {
  const init: JudgeInit = {
    source: registry,
    limits: defaultLimits.announce,
    logger: silentLogger,
    allow: () => allowed,
    onNewerHead: ({ value }) => newer.push(value)
  }
  return judge(data, authorOf(author), init)
}

const record = (key: SigningKey, seq: number, networkId = registry.networkId) =>
  encodeAnnouncement({
    kind: 'record',
    envelope: sealRecord({ ...aRecord, networkId, publicKey: key.publicKey, seq }, key).bytes
  })

const head = (change: Partial<Checkpoint> = {}, key = log.logKey) => {
  const checkpoint = registry.replica.checkpoint?.value
  if (checkpoint === undefined) throw new Error('a network has a checkpoint')
  return encodeAnnouncement({ kind: 'head', envelope: sealCheckpoint({ ...checkpoint, ...change }, key).bytes })
}

beforeEach(async () => {
  log = new LogNetwork()
  newer = []
  allowed = true
  const { path } = await log.create()
  const { clock, rootKey, logKey } = log
  registry = await openRegistry({ path, role: 'root', nodeKey: rootKey, root: { logKey } }, { clock })
  const opened = registry
  onTestFinished(() => opened.close())
  await registry.root?.append([log.admit(registry.networkId, 1), log.admit(registry.networkId, 2)])
})

describe('a record', () => {
  test('is accepted when it is newer than the one held, and then ignored', async () => {
    expect(await judged(record(member, 2))).toBe('accept')
    expect(await judged(record(member, 2))).toBe('ignore')
    expect(await judged(record(member, 1))).toBe('ignore')
    expect(await judged(record(member, 3))).toBe('accept')
  })

  test('may come through another member', async () => {
    expect(await judged(record(keyNumber(2), 1), member)).toBe('accept')
  })

  test('is rejected when it is forged, of another network, too long, or no record at all', async () => {
    const forged = record(member, 4)
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1
    for (const data of [
      forged,
      record(member, 4, otherNetworkId),
      new Uint8Array(3_000).fill(1),
      Uint8Array.of(1, 2, 3),
      Uint8Array.of(1),
      new Uint8Array()
    ]) {
      expect(await judged(data)).toBe('reject')
    }
  })

  test('of a key that is no member here yet is ignored, and taken when its admission comes', async () => {
    const joiner = keyNumber(3)
    expect(await judged(record(joiner, 1))).toBe('ignore')
    await registry.root?.append([log.admit(registry.networkId, 3)])
    await expect.poll(() => registry.records.get(joiner.publicKey)?.seq, { interval: 5 }).toBe(1)
  })

  test('of a revoked key, or told by one, is nobody’s fault', async () => {
    await registry.root?.append([{ kind: 'revoke', body: { publicKey: member.publicKey, reason: '' } }])
    expect(await judged(record(member, 9), keyNumber(2))).toBe('ignore')
    expect(await judged(record(keyNumber(2), 9), member)).toBe('ignore')
  })

  test('of an author who says too much is not even looked at', async () => {
    allowed = false
    expect(await judged(record(member, 5))).toBe('ignore')
    expect(registry.records.count()).toBe(0)
  })
})

describe('a head', () => {
  test('above ours is accepted and told', async () => {
    const { n } = registry.replica.head
    expect(await judged(head({ n: n + 5 }))).toBe('accept')
    expect(newer.map((each) => each.n)).toEqual([n + 5])
  })

  test('of ours is accepted once it is fresher', async () => {
    const timeMs = log.clock.now()
    expect(await judged(head({}))).toBe('ignore')
    expect(await judged(head({ timeMs: timeMs + 60_000 }))).toBe('accept')
    expect(await judged(head({ timeMs: timeMs + 60_000 }))).toBe('ignore')
    expect(registry.replica.checkpoint?.value.timeMs).toBe(timeMs + 60_000)
    expect(newer).toEqual([])
  })

  test('of another key than the epoch’s is rejected', async () => {
    expect(await judged(head({ n: 100 }, keyNumber(77)))).toBe('reject')
    expect(newer).toEqual([])
  })

  test('of an epoch that is not known is a reason to ask, not to pass on', async () => {
    expect(await judged(head({ epoch: 1, n: 100 }, keyNumber(77)))).toBe('ignore')
    expect(newer.map(({ epoch }) => epoch)).toEqual([1])
  })

  test('that contradicts our history is kept as a proof and passed on', async () => {
    expect(await judged(head({ headHash: new Uint8Array(32).fill(9) }))).toBe('accept')
    expect(registry.replica.isForked).toBe(true)
  })

  test('of an older entry is ignored', async () => {
    const { replica } = registry
    expect(await judged(head({ n: 1, headHash: replica.linkHash(1) ?? new Uint8Array(32) }))).toBe('ignore')
  })
})

test('a kind of a newer version is ignored', async () => {
  expect(await judged(Uint8Array.of(9, 1, 2, 3))).toBe('ignore')
})

describe('a cosignature', () => {
  const witness = keyNumber(2)
  const word = (hash = newest().hash, change = (bytes: Uint8Array) => bytes, times = 1) => {
    const cosignature = change(cosign(newest(), witness, log.clock.nowMs))
    const cosignatures = Array.from({ length: times }, () => cosignature)
    return encodeAnnouncement({ kind: 'cosignatures', envelope: encodeCosigned({ hash, cosignatures }) })
  }
  const newest = () => {
    const { checkpoint } = registry.replica
    if (checkpoint === undefined) throw new Error('a network has a checkpoint')
    return checkpoint
  }
  const enter = () =>
    registry.root?.append([
      { kind: 'registrySet', body: { publicKey: witness.publicKey, role: 'secondary', removed: false } }
    ])

  test('is accepted once, whoever brings it', async () => {
    await enter()
    expect(await judged(word())).toBe('accept')
    expect(await judged(word(), witness)).toBe('ignore')
    expect(registry.cosignatures.witnessed(1)).toMatchObject({ by: 1, of: 1 })
  })

  test('is ignored when it is of no witness, of a checkpoint that is not known, or by a stranger', async () => {
    expect(await judged(word())).toBe('ignore')
    await enter()
    expect(await judged(word(new Uint8Array(32)))).toBe('ignore')
    expect(await judged(word(), keyNumber(9))).toBe('ignore')
  })

  test('is rejected when its witness has not signed it, and when it is not whole', async () => {
    await enter()
    expect(await judged(word(undefined, (bytes) => bytes.with(103, (bytes[103] ?? 0) ^ 1)))).toBe('reject')
    expect(await judged(word().subarray(0, 100))).toBe('reject')
  })

  test('in a flood is not looked at: seventeen of one checkpoint, or more than a message holds', async () => {
    await enter()
    expect(await judged(word(undefined, undefined, 17))).toBe('ignore')
    expect(await judged(word(undefined, undefined, 20))).toBe('reject')
    expect(registry.cosignatures.witnessed(1)).toBeUndefined()
  })
})
