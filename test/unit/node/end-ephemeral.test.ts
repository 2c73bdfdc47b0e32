import { expect, it, onTestFinished } from 'vitest'
import { EphemeralEnds } from '../../../src/node/root/end-ephemeral.ts'
import { makeJoin } from '../../../src/registry/objects/join.ts'
import { sealRecord } from '../../../src/registry/objects/record.ts'
import { openRegistry } from '../../../src/registry/registry.ts'
import { silentLogger } from '../../../src/runtime/clock-and-logger.ts'
import { keyNumber, LogNetwork } from '../../helpers/log-network.ts'
import { aRecord } from '../../helpers/signed-objects.ts'

const minuteMs = 60_000

/** The registry of a root that has let in a member which is to be gone after so long, and nothing was heard of it yet. */
async function admitted(ephemeralMs: number) {
  const log = new LogNetwork()
  const { path } = await log.create()
  const { rootKey, logKey, clock } = log
  const registry = await openRegistry({ path, role: 'root', nodeKey: rootKey, root: { logKey } }, { clock })
  onTestFinished(() => registry.close())
  const { admission, networkId, replica, records } = registry
  const { grant, inviteKey } = await admission.invite({ role: 'integrated', ephemeralMs })
  const key = keyNumber(5)
  const join = makeJoin({ networkId, key, name: 'run', role: 'integrated', timeMs: clock.now(), grant, inviteKey })
  await admission.join({ join })
  const answering = { is: false }
  const ends = new EphemeralEnds({ registry, answers: async () => answering.is, logger: silentLogger })
  return {
    answering,
    /** After so long it is looked at. Tells whether it is a member still. */
    staysAfter: async (ms: number): Promise<boolean> => {
      clock.nowMs += ms
      await ends.look()
      return replica.isMember(key.publicKey)
    },
    /** The root starts anew on a machine whose clock is so far ahead. */
    restartedAfter: async (ms: number) => {
      await records.put(
        sealRecord({ ...aRecord, networkId, publicKey: key.publicKey, seq: 1, left: true, issuedMs: clock.nowMs }, key)
          .bytes
      )
      await registry.close()
      clock.nowMs += ms
      const again = await openRegistry({ path, role: 'root', nodeKey: rootKey, root: { logKey } }, { clock })
      onTestFinished(() => again.close())
      const { root, liveness } = again
      expect(liveness.view(key.publicKey)).toMatchObject({ state: 'left' })
      const look = new EphemeralEnds({ registry: again, answers: async () => false, logger: silentLogger })
      return {
        hearsOthers: () => root?.clock.heard(rootKey.publicKey, clock.now()),
        stays: async (): Promise<boolean> => {
          await look.look()
          return again.replica.isMember(key.publicKey)
        }
      }
    },
    isHeard: async () => {
      await records.put(sealRecord({ ...aRecord, networkId, publicKey: key.publicKey, seq: 1 }, key).bytes)
    }
  }
}

it('an ephemeral member that was never online is let go after its time', async () => {
  const member = await admitted(10 * minuteMs)
  expect(await member.staysAfter(0)).toBe(true)
  expect(await member.staysAfter(9 * minuteMs)).toBe(true)
  expect(await member.staysAfter(2 * minuteMs)).toBe(false)
})

it('a member that was never heard of stays while it answers, and has a minute for its first word', async () => {
  const member = await admitted(1000)
  expect(await member.staysAfter(0)).toBe(true)
  expect(await member.staysAfter(50_000)).toBe(true)
  member.answering.is = true
  expect(await member.staysAfter(11_000)).toBe(true)
  member.answering.is = false
  expect(await member.staysAfter(0)).toBe(true)
  expect(await member.staysAfter(minuteMs)).toBe(false)
})

it('one that was heard of is not let go because nobody knows how it is: its registry may be away', async () => {
  const member = await admitted(minuteMs)
  expect(await member.staysAfter(0)).toBe(true)
  await member.isHeard()
  expect(await member.staysAfter(1)).toBe(true)
  expect(await member.staysAfter(60 * minuteMs)).toBe(true)
})

it('nobody is let go by a clock that may be wrong: a root that was away for months waits until members agree with it', async () => {
  const member = await admitted(10 * minuteMs)
  const root = await member.restartedAfter(60 * 24 * 60 * minuteMs)
  expect(await root.stays()).toBe(true)
  root.hearsOthers()
  expect(await root.stays()).toBe(false)
})
