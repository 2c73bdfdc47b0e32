import { describe, expect } from 'vitest'
import type { TrustNode } from '../../../src/node/node.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { attack, control } from '../attack.ts'

const hour = 3_600_000
const nobody = { from: 'nobody', to: 'nobody', service: '*' }

/** Policies under which nobody gets in, stays, or calls anybody any more. */
const locks = [
  { admission: 'invite', openGrants: 0 },
  { admission: 'invite', grantMs: 1000 },
  { membershipMs: 60_000 },
  { membershipMs: hour, returnGraceMs: 0 },
  { rules: [nobody] }
] as const

const policyOf = ({ registry }: TrustNode): string => JSON.stringify(registry.replica.state.policy)

describe('a policy that would lock everybody out', () => {
  attack('is entered at the root without force', async () => {
    await using network = await TestNetwork.create()
    const root = network.node('root')
    await network.join('a')
    const before = policyOf(root)
    const { n } = root.registry.replica.head
    const answers: string[] = []
    for (const { ...changes } of locks) {
      const { rules, ...values } = { rules: undefined, ...changes }
      const asked = rules === undefined ? values : { ...values, rules: [...rules] }
      answers.push(
        await root.control.setPolicy(asked).then(
          () => 'entered',
          (error: Error) => error.message
        )
      )
    }
    expect(answers.filter((said) => !said.includes('--force'))).toEqual([])
    expect([policyOf(root), root.registry.replica.head.n]).toEqual([before, n])
    return {
      happened: `${locks.length} policies: all refused; 0 entries`,
      held: 'what a policy does to those who are there is judged before it is signed'
    }
  })

  control('is entered with force, and everybody follows it; the next one ends it', async () => {
    await using network = await TestNetwork.create()
    const root = network.node('root')
    const a = await network.join('a')
    await root.control.setPolicy({ openGrants: 0, force: true })
    await eventually(() => a.registry.replica.state.policy.openGrants === 0)
    await expect(root.control.invite({})).rejects.toThrow('open')
    await root.control.setPolicy({ openGrants: 10 })
    await expect(root.control.invite({})).resolves.toBeDefined()
  })
})
