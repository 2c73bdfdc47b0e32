import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { peerIdText, SigningKey } from '../../../src/identity/keys.ts'
import type { ControlApi } from '../../../src/node/api/control-api.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { TestNetwork } from '../../helpers/network.ts'

let network: TestNetwork
beforeAll(async () => {
  network = await TestNetwork.create()
  for (const name of ['b', 'c', 'd']) await network.join(name)
  const added = await root().addOperator({ name: 'ann', keyId: ann })
  expect(added.entry).not.toBeNull()
}, ceilingMs)
afterAll(() => network[Symbol.asyncDispose]())

const ann = peerIdText(SigningKey.generate().publicKey)
const root = (): ControlApi => network.node('root').control
const keyOf = (name: string): string => network.node(name).peerId

type Change = readonly [
  what: string,
  ask: (api: ControlApi) => Promise<{ message?: string; entry?: number | null }>,
  again: RegExp
]

/** Changes whose repetition is natural, each by name where people do so, and what the second one says. */
const changes: readonly Change[] = [
  ['another name', (api) => api.changeMember({ peer: keyOf('b'), name: 'bob' }), /is already/],
  ['another role', (api) => api.changeMember({ peer: 'bob', role: 'external' }), /is already/],
  ['groups', (api) => api.changeMember({ peer: 'bob', groups: ['web', 'db'] }), /is already/],
  ['a policy', (api) => api.setPolicy({ admission: 'open' }), /^$/],
  ['approval of a member', (api) => api.approve({ peer: 'bob' }), /is a member already/],
  ['an operator', (api) => api.addOperator({ name: 'eve', keyId: keyOf('b') }), /is an operator already/],
  ['a publisher', (api) => api.allowPublisher({ publisher: 'bob' }), /may publish documents already/],
  ['its removal', (api) => api.removePublisher({ publisher: 'bob' }), /taken back before/],
  ['retirement', (api) => api.retireRegistry({ peer: 'bob' }), /is no secondary/],
  ['end of a membership', (api) => api.endMember({ peer: 'c', reason: 'over' }), /was ended before/],
  ['revoke', (api) => api.revoke({ peer: 'd', reason: 'stolen' }), /was revoked before/]
]

describe.each(changes)('%s', (_, ask, again) => {
  test('is refused at a member without the key of an operator, which is told where it can be done', async () => {
    const refused = ask(network.node('b').control)
    await expect(refused).rejects.toMatchObject({ name: 'NotRootError', message: expect.stringMatching(/root/) })
  })

  test('is made at the root by an operator whom the log names, and made again it changes nothing', async () => {
    const { replica } = network.node('root').registry
    const before = replica.head.n
    await ask(root())
    const made = replica.head.n
    const { entries } = await root().log({ after: before })
    expect(entries.filter(({ by }) => by.length === 0)).toEqual([])
    const { message = '' } = await ask(root())
    expect(message).toMatch(again)
    expect(replica.head.n).toBe(made)
  })
})

test('a plan changes nothing, and names whom it is about', async () => {
  const { replica } = network.node('root').registry
  const before = replica.head.n
  const plans = [
    await root().revoke({ peer: 'bob', reason: '', plan: true }),
    await root().endMember({ peer: 'bob', reason: '', plan: true }),
    await network.node('b').control.leave({ forget: true, plan: true })
  ]
  for (const plan of plans)
    expect(plan).toMatchObject({ peerId: keyOf('b'), entry: null, message: expect.stringMatching(/^would /) })
  expect(replica.head.n).toBe(before)
})
