import { describe, expect } from 'vitest'
import { peerIdText } from '../../../src/identity/keys.ts'
import { type LimitOverrides, limitsWith } from '../../../src/protocols/engine/limits.ts'
import { LookupStream, lookupServer } from '../../../src/protocols/lookup/index.ts'
import { type Members, startMember } from '../../helpers/hosts/members.ts'
import { connect } from '../../helpers/hosts.ts'
import { networkId } from '../../helpers/signed-objects.ts'
import { disposeAfterTest } from '../../helpers/vitest/dispose-after-test.ts'
import { attack, control } from '../attack.ts'

/** Members that a page looks at and that are not what is asked for. */
const looked = 1_000
const streams = 4
/** Questions on each stream; a slow machine takes longer for them. */
const questions = 50
/** So that what comes back meanwhile is little, on any machine. */
const cost = { count: 20_000, perMs: 600_000 }

/** A member asks on four streams, as fast as it is answered, for what nobody is. */
async function scan(overrides: LimitOverrides = {}) {
  const limits = limitsWith(overrides)
  const members: Members = new Map()
  let scanned = 0
  const registry = await startMember({
    members,
    role: 'root',
    services: ({ trust }) => ({
      lookup: lookupServer({
        source: {
          networkId,
          lookup: () => {
            scanned += looked
            return { rows: [], looked }
          },
          replicaAgeMs: () => 0
        },
        trust,
        limits
      })
    })
  })
  const asker = await startMember({ members, services: () => ({}) })
  disposeAfterTest(registry, asker)
  const connection = await connect(asker.host, registry.host)
  const lanes = Array.from({ length: streams }, async () => {
    const stream = await LookupStream.open(connection, { networkId, limits })
    for (let asked = 0; asked < questions; asked++) await stream.ask({ state: 'left' })
  })
  await Promise.allSettled(lanes)
  const named = registry.trust.culprits.counts.flatMap(({ limit, culprits }) =>
    culprits.map(({ who }) => `${limit} ${who}`)
  )
  return { scanned, named, who: peerIdText(asker.key.publicKey) }
}

describe('a filter that matches nobody', () => {
  attack('is asked for again and again', async () => {
    const { scanned, named, who } = await scan({ lookup: { cost } })
    // Half of them: what may be looked at at once, what comes back meanwhile, and one page for each stream.
    expect(scanned).toBeLessThan((streams * questions * looked) / 2)
    expect(named).toEqual([`lookup.cost ${who}`])
    return {
      happened: `${scanned / looked} of ${streams * questions} pages of ${looked} members, then refused and named`,
      held: 'lookup.cost'
    }
  })

  control('is answered without end where its cost does not count', async () => {
    const plenty = { count: 1_000_000_000, perMs: 1_000 }
    const { scanned, named } = await scan({ lookup: { cost: plenty, questions: plenty } })
    expect(scanned).toBe(streams * questions * looked)
    expect(named).toEqual([])
  })
})
