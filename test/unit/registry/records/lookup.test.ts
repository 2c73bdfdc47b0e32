import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import type { Role } from '../../../../src/identity/role.ts'
import type { State } from '../../../../src/registry/liveness/states.ts'
import { unheardView } from '../../../../src/registry/liveness/view.ts'
import {
  type LookupMember,
  type LookupQuery,
  type LookupSource,
  lookup
} from '../../../../src/registry/records/lookup.ts'
import type { Records } from '../../../../src/registry/records/records.ts'
import { KeyOrder } from '../../../../src/registry/records/sorted-keys.ts'
import { openTestStore, recordOf, recordsOver, type TestStore } from '../../../helpers/observations.ts'
import { serviceNamed } from '../../../helpers/signed-objects.ts'

const idOf = (key: Uint8Array): string => Buffer.from(key).toString('hex')

let store: TestStore
let records: Records

beforeEach(() => {
  store = openTestStore()
  records = recordsOver(store)
})

afterEach(() => store[Symbol.dispose]())

/** Members and their order, as the registry keeps them; every seventh is online. */
class Network implements LookupSource {
  readonly members = new Map<string, LookupMember>()
  readonly order = new KeyOrder()
  readonly records: Records
  readonly online = new Set<string>()
  readonly liveness = {
    view: (key: Uint8Array) => ({
      ...unheardView(key),
      state: this.liveness.states.stateOf(key)
    }),
    states: {
      stateOf: (key: Uint8Array): State => (this.online.has(idOf(key)) ? 'online' : 'unknown'),
      keysIn: (state: State, after: Uint8Array | undefined, limit: number) =>
        state === 'unknown'
          ? undefined
          : this.order
              .after(after, this.order.size)
              .filter((key) => this.liveness.states.stateOf(key) === state)
              .slice(0, limit)
    }
  }

  constructor(over: Records) {
    this.records = over
  }

  admit(key: Uint8Array, name: string): void {
    this.members.set(idOf(key), {
      publicKey: key,
      name,
      role: this.members.size % 10 === 0 ? 'secondary' : 'integrated',
      admitN: this.members.size
    })
    if (this.members.size % 7 === 0) this.online.add(idOf(key))
    this.order.add(key)
  }

  revoke(key: Uint8Array): void {
    this.members.delete(idOf(key))
    this.order.delete(key)
  }

  member(key: Uint8Array): LookupMember | undefined {
    return this.members.get(idOf(key))
  }

  memberByName(name: string): LookupMember | undefined {
    return [...this.members.values()].find((member) => member.name === name)
  }

  keysAfter(after: Uint8Array | undefined, limit: number): Uint8Array[] {
    return this.order.after(after, limit)
  }

  keysOfRole(role: Role, after: Uint8Array | undefined, limit: number): Uint8Array[] {
    return this.order
      .after(after, this.order.size)
      .filter((key) => this.member(key)?.role === role)
      .slice(0, limit)
  }

  entryBytes(n: number): Uint8Array {
    return Uint8Array.of(n)
  }
}

const randomKeys = (count: number): Uint8Array[] =>
  Array.from({ length: count }, () => Uint8Array.from({ length: 32 }, () => Math.floor(Math.random() * 256)))

const all = (query: LookupQuery, network: Network, between: () => void = () => {}): string[] => {
  const found: string[] = []
  for (let page = lookup(query, network); ; page = lookup({ ...query, after: page.next }, network)) {
    found.push(...page.rows.map((row) => idOf(row.publicKey)))
    if (page.next === undefined) return found
    between()
  }
}

describe('lookup', () => {
  it('shows every member that is there throughout exactly once, while others come and go', () => {
    const network = new Network(records)
    const staying = randomKeys(1_000)
    const leaving = randomKeys(200)
    for (const [index, key] of [...staying, ...leaving].entries()) network.admit(key, `node-${index}`)
    const found = all({ limit: 37 }, network, () => {
      for (const key of leaving.splice(0, 8)) network.revoke(key)
      for (const key of randomKeys(8)) network.admit(key, idOf(key))
    })
    expect(new Set(found).size).toBe(found.length)
    expect(found).toEqual(found.toSorted())
    const seen = new Set(found)
    expect(staying.filter((key) => !seen.has(idOf(key)))).toEqual([])
  })

  it('finds by key, name, role and state, and by all of them together', () => {
    const network = new Network(records)
    const keys = randomKeys(100)
    for (const [index, key] of keys.entries()) network.admit(key, `node-${index}`)
    const key = keys[10] ?? new Uint8Array()
    expect(lookup({ publicKey: key }, network).rows).toMatchObject([{ name: 'node-10', role: 'secondary' }])
    expect(lookup({ name: 'node-10' }, network).rows).toMatchObject([{ publicKey: key }])
    expect(lookup({ name: 'node-10', role: 'integrated' }, network).rows).toEqual([])
    expect(lookup({ name: 'nobody' }, network)).toEqual({ rows: [], looked: 1 })
    expect(lookup({ name: 'node-10', after: key }, network).rows).toEqual([])
    expect(all({ role: 'secondary', limit: 3 }, network)).toHaveLength(10)
    expect(new Set(all({ state: 'online', limit: 3 }, network))).toEqual(network.online)
    expect(all({ state: 'left' }, network)).toEqual([])
  })

  it('finds who offers a service, also after records changed', async () => {
    const network = new Network(records)
    const keys = Array.from({ length: 12 }, () => SigningKey.generate())
    for (const [index, key] of keys.entries()) {
      network.admit(key.publicKey, `node-${index}`)
      await records.put(
        recordOf(key, 1, { services: (index % 2 === 0 ? ['db', 'web'] : ['db']).map(serviceNamed) }).bytes
      )
    }
    const first = keys[0] ?? SigningKey.generate()
    expect(all({ service: 'web', limit: 2 }, network)).toHaveLength(6)
    expect(all({ service: 'db', limit: 5 }, network)).toHaveLength(12)
    expect(lookup({ publicKey: first.publicKey, service: 'web' }, network).rows).toHaveLength(1)
    await records.put(recordOf(first, 2, { services: ['db', 'mail'].map(serviceNamed) }).bytes)
    expect(all({ service: 'web' }, network)).not.toContain(idOf(first.publicKey))
    expect(all({ service: 'mail' }, network)).toEqual([idOf(first.publicKey)])
    await records.forget(first.publicKey)
    expect(all({ service: 'mail' }, network)).toEqual([])
  })

  it('bounds the rows of a page, and the members looked at for it', () => {
    const network = new Network(records)
    for (const [index, key] of randomKeys(11_000).entries()) network.admit(key, `node-${index}`)
    expect(lookup({ limit: 100_000 }, network).rows).toHaveLength(500)
    expect(lookup({ limit: 0 }, network).rows).toHaveLength(100)
    network.online.clear()
    network.online.add(idOf(network.order.after(undefined, 11_000).at(-1) ?? new Uint8Array()))
    const page = lookup({ role: 'integrated', state: 'unknown', limit: 500 }, network)
    expect(page.looked).toBeLessThanOrEqual(1_000)
    const rare = lookup({ state: 'online' }, network)
    expect(rare).toMatchObject({ rows: [{}], looked: 1 })
    expect(all({ state: 'online' }, network)).toEqual([...network.online])
  })

  it('goes on where a page ended that found nobody', () => {
    const network = new Network(records)
    for (const [index, key] of randomKeys(3_000).entries()) network.admit(key, `node-${index}`)
    network.online.clear()
    const last = network.order.after(undefined, 3_000).at(-1) ?? new Uint8Array()
    for (const key of network.order.after(undefined, 3_000)) if (idOf(key) !== idOf(last)) network.online.add(idOf(key))
    const page = lookup({ state: 'unknown' }, network)
    expect(page).toMatchObject({ rows: [], looked: 1_000 })
    expect(page.next).toBeDefined()
    expect(all({ state: 'unknown' }, network)).toEqual([idOf(last)])
  })
})

describe('KeyOrder', () => {
  it('is the sorted set of what was added and not deleted', () => {
    const anyKey = fc.uint8Array({ minLength: 32, maxLength: 32, max: 2 })
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), anyKey)), anyKey, (steps, after) => {
        const order = new KeyOrder(steps.slice(0, 3).map(([, key]) => key))
        const model = new Set(steps.slice(0, 3).map(([, key]) => idOf(key)))
        for (const [isAdded, key] of steps) {
          if (isAdded) order.add(key)
          else order.delete(key)
          if (isAdded) model.add(idOf(key))
          else model.delete(idOf(key))
        }
        expect(order.after(undefined, 1000).map(idOf)).toEqual([...model].toSorted())
        expect(order.after(after, 5).map(idOf)).toEqual(
          [...model]
            .filter((id) => id > idOf(after))
            .toSorted()
            .slice(0, 5)
        )
      })
    )
  })
})
