import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { SigningKey } from '../../../../src/identity/keys.ts'
import { sealRevoke } from '../../../../src/registry/log/epochs/authority-revocations.ts'
import { type EntryDraft, Root } from '../../../../src/registry/log/log-writer.ts'
import type { Replica } from '../../../../src/registry/log/replica.ts'
import { entryKinds } from '../../../../src/registry/objects/entry.ts'
import { silentLogger } from '../../../../src/runtime/clock-and-logger.ts'
import { NotOperatorError } from '../../../../src/runtime/errors.ts'
import { keyNumber, LogNetwork, refusalOf } from '../../../helpers/log-network.ts'
import { WokenServices } from '../../../helpers/registry/woken-services.ts'

let network: LogNetwork
let root: Root
let replica: Replica

const key = (member: number): Uint8Array => keyNumber(member).publicKey

beforeEach(async () => {
  network = new LogNetwork()
  ;({ root, replica } = await network.start())
})

describe('a fence', () => {
  it('is waited for until it is gone, and nothing is signed behind it meanwhile', async () => {
    const services = new WokenServices()
    await root.start(services)
    await root.released
    root.fence('others may hold more of the log')
    const { checkpoint } = replica
    const { released } = root
    const first = (): Promise<string> => Promise.race([released.then(() => 'released'), Promise.resolve('waiting')])
    network.clock.nowMs += 60_000
    await services.services.get('checkpoints')?.round?.(new AbortController().signal)
    expect([replica.checkpoint, await first()]).toEqual([checkpoint, 'waiting'])
    root.release()
    await released
    await services.services.get('checkpoints')?.round?.(new AbortController().signal)
    expect(replica.checkpoint?.value.timeMs).toBe(network.clock.nowMs)
  })
})

describe('a root with an operator', () => {
  const ann = keyNumber(41)
  const enter = (name: string, publicKey: Uint8Array): EntryDraft => ({
    kind: 'operator',
    body: { publicKey, name, removed: false }
  })
  const rootBy = (operatorKey?: SigningKey): Root => {
    const made = new Root({
      replica,
      logKey: network.logKey,
      nodeKey: network.rootKey,
      logger: silentLogger,
      operatorKey
    })
    onTestFinished(() => made.stop())
    return made
  }

  it('signs its order for what it enters, once there are operators', async () => {
    const own = rootBy(ann)
    expect(own.ownOrders(network.policy())).toEqual([])
    await own.append([enter('ann', ann.publicKey)], { byOperator: true })
    const [entry] = await own.append([network.policy()], { byOperator: true })
    expect(entry?.value.orders).toHaveLength(1)
    expect(own.ownOrders(network.policy())).toHaveLength(1)
    for (const other of [rootBy(), rootBy(keyNumber(42))]) {
      expect(await refusalOf(other.append([network.policy()], { byOperator: true }))).toBe('NotOperatorError')
      expect(() => other.ownOrders(network.policy())).toThrow(NotOperatorError)
    }
  })

  it('leaves a revoke of the authority in force where two operators have to enter it, and says so', async () => {
    const told: string[] = []
    const logger = { ...silentLogger, warn: (_: object, message: string) => told.push(message) }
    await root.append([network.admit(replica.networkId, 1), enter('ann', ann.publicKey)])
    await rootBy(ann).append([enter('ben', key(43))], { byOperator: true })
    await rootBy(ann).append([network.policy({ twoOperators: [entryKinds.revoke] })], { byOperator: true })
    const { networkId, head } = replica
    const revoke = sealRevoke({ networkId, head, nowMs: network.clock.nowMs }, network.authority, {
      publicKey: key(1),
      reason: 'stolen'
    })
    await replica.authorityRevocations.enforce(revoke.bytes)
    const other = new Root({ replica, logKey: network.logKey, nodeKey: network.rootKey, logger })
    expect(await other.reissueRevokes()).toBe(1)
    expect(told).toEqual([expect.stringContaining('a revoke in force is not entered')])
    expect([replica.isMember(key(1)), replica.head.n]).toEqual([false, head.n])
    await other.stop()
  })
})
