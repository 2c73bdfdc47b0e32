import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EntryDraft, Root } from '../../../../../src/registry/log/log-writer.ts'
import type { Replica } from '../../../../../src/registry/log/replica.ts'
import { keyNumber, LogNetwork, refusalOf, sendDelta, sendSnapshot } from '../../../../helpers/log-network.ts'

type Step = { kind: string; member: number; other: number }

const anyStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    'admit',
    'admit',
    'admit',
    'renew',
    'revoke',
    'rotate',
    'registry',
    'noRegistry',
    'publisher',
    'noPublisher',
    'publish',
    'retire',
    'grant',
    'grant',
    'grantEnd',
    'policy',
    'tick'
  ),
  member: fc.integer({ min: 1, max: 8 }),
  other: fc.integer({ min: 1, max: 8 })
})

const draftOf = (network: LogNetwork, replica: Replica, step: Step): EntryDraft => {
  const { networkId, state } = replica
  const { member, other } = step
  const id = `doc-${other}`
  switch (step.kind) {
    case 'admit':
      return network.admit(networkId, member, { name: `n${other}`, ...(other % 2 === 0 && { invite: other }) })
    case 'renew':
      return network.renew(replica, member)
    case 'revoke':
      return network.revoke(member)
    case 'rotate':
      return network.rotate(networkId, member, member === other ? member + 1 : other)
    case 'registry':
      return network.registrySet(member)
    case 'noRegistry':
      return network.registrySet(member, true)
    case 'publisher':
      return network.publisher(member)
    case 'noPublisher':
      return network.publisher(member, true)
    case 'publish':
      return network.publish(id, (state.document(id)?.version ?? 0) + 1)
    case 'grant':
      return network.grant(other, { uses: member })
    case 'grantEnd':
      return network.grantEnd(other)
    case 'policy':
      return network.policy({ nameHoldMs: member * 10_000, openGrants: other })
    default:
      return network.retire(id)
  }
}

const refusals =
  /^(taken|RevokedError|NotMemberError|NameTakenError|NotFoundError|LogMismatchError|InvalidPayloadError|LimitError|Invite\w+Error)$/

/** Tries all steps, one after the other; the rules refuse some. */
async function run(network: LogNetwork, root: Root, replica: Replica, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    network.clock.nowMs += 1000
    if (step.kind === 'tick') {
      await root.checkpoint()
      continue
    }
    const result = await refusalOf(root.append([draftOf(network, replica, step)]))
    expect(result).toMatch(refusals)
  }
}

const summary = ({ state, head, checkpoint }: Replica) => ({
  head,
  checkpoint: checkpoint?.hash,
  root: state.root(),
  rows: state.rows,
  bytes: state.bytes,
  live: state.live(),
  members: [...state.members()]
    .map(({ name, role, notAfterMs }) => ({ name, role, notAfterMs }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  revoked: [...state.revokedKeys()].length,
  registries: state.registries().length,
  documents: [...state.documents()].length,
  grants: [...state.grants()].map(({ grant, taken, n, past }) => ({ id: grant.id, taken, n, past })),
  policy: state.policyRow,
  names: Array.from({ length: 9 }, (_, name) => state.heldName(`n${name}`))
})

describe('Replica', () => {
  it('comes to the root state by delta, by snapshot and after a restart, whatever happened', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 60 }), fc.nat(60), async (steps, cut) => {
        const network = new LogNetwork()
        const source = await network.start()
        const early = await network.follower(source.replica)
        await run(network, source.root, source.replica, steps.slice(0, cut))
        await sendDelta(source.replica, early.replica)
        await run(network, source.root, source.replica, steps.slice(cut))
        await sendDelta(source.replica, early.replica)
        const whole = await network.follower(source.replica)
        await sendDelta(source.replica, whole.replica)
        const snapshot = await network.follower(source.replica)
        await sendSnapshot(source.replica, snapshot.replica)

        const expected = summary(source.replica)
        expect(summary(early.replica)).toEqual(expected)
        expect(summary(whole.replica)).toEqual(expected)
        expect(summary(snapshot.replica)).toEqual(expected)
        for (const store of [source, early, snapshot]) {
          store.close()
          const again = await network.open(store.path)
          expect(summary(again.replica)).toEqual(expected)
          again.close()
        }
        whole.close()
      }),
      { numRuns: 25 }
    )
  })
})

describe('what a replica takes in', () => {
  it('counts entries that it knows already as nothing', async () => {
    const network = new LogNetwork()
    const { root, replica } = await network.start()
    const { replica: follower } = await network.follower(replica)
    await root.append([network.admit(replica.networkId, 1)])
    expect(await sendDelta(replica, follower)).toEqual({ applied: 3 })
    const all = replica.read(0, 1e6).map(({ envelope }) => envelope)
    expect(await follower.apply(all, replica.checkpoint?.bytes)).toEqual({ applied: 0 })
    expect(follower.isMember(keyNumber(1).publicKey)).toBe(true)
  })
})
