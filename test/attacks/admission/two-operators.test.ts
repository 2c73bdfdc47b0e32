import { describe, expect } from 'vitest'
import { SigningKey } from '../../../src/identity/keys.ts'
import { attack, control } from '../attack.ts'
import { answer, answerTo, operator, policy, rename, revoke, signed, signedQuestion, started } from './orders.ts'

describe('two operators', () => {
  /** With a second operator, and a policy under which some kinds need two. */
  async function two(twoOperators: number[]) {
    const made = await started()
    const { a, same, main } = made
    const ann = SigningKey.generate()
    await answer(a, signed(a, main, operator(ann, 'ann')))
    await same()
    if (twoOperators.length > 0) await answer(a, signed(a, main, policy(a, { twoOperators })))
    await same()
    return { ...made, ann }
  }

  attack('change the policy at once, and one would undo the other unseen', async () => {
    const { network, root, a, main, ann } = await two([])
    await using _ = network
    const answers = await Promise.all([
      answer(a, signed(a, main, policy(a, { grantUses: 7 }))),
      answer(a, signed(a, ann, policy(a, { openGrants: 8 })))
    ])
    expect(answers.toSorted((x, y) => x.localeCompare(y))).toEqual(['1 entered', 'ChangedMeanwhileError'])
    const { grantUses, openGrants } = root.registry.replica.state.policy
    expect([grantUses === 7, openGrants === 8].filter(Boolean)).toHaveLength(1)
    return {
      happened: `two changes at once: ${answers.join(', ')}: look again, and decide anew`,
      held: 'an order says what its signer knew, and nothing that it changes may be newer'
    }
  })

  control('who change it one after the other keep what the other has done', async () => {
    const { network, root, a, same, main, ann } = await two([])
    await using _ = network
    expect(await answer(a, signed(a, main, policy(a, { grantUses: 7 })))).toBe('1 entered')
    await same()
    expect(await answer(a, signed(a, ann, policy(a, { openGrants: 8 })))).toBe('1 entered')
    expect(root.registry.replica.state.policy).toMatchObject({ grantUses: 7, openGrants: 8 })
  })

  attack('are asked for, and one signs twice', async () => {
    const { network, root, a, main } = await two([3])
    await using _ = network
    const { n } = root.registry.replica.head
    const [first, second] = [signed(a, main, revoke(a, 'b')), signed(a, main, revoke(a, 'b'))]
    const answers = [await answer(a, first), await answer(a, second), await answer(a, first, second)]
    expect(answers).toEqual(['SecondOperatorError', 'SecondOperatorError', 'SecondOperatorError'])
    const own = root.registry.root?.append([{ ...revoke(a, 'b'), orders: [first.order, second.order] }])
    await expect(own).rejects.toThrow('the same operator')
    expect(root.registry.replica.head.n).toBe(n)
    return {
      happened: `three requests, and an entry with both orders: ${answers.join(', ')}, refused; 0 entries`,
      held: 'two orders are of two keys, by a rule of the log that each replica checks'
    }
  })

  attack('are asked for, and one takes back what the other has ordered, or plays an old withdrawal again', async () => {
    const { network, root, a, main, ann } = await two([3])
    await using _ = network
    const { orders } = root.registry.admission
    const waits = (): number => orders.waiting().length
    await answer(a, signed(a, main, revoke(a, 'b')))
    const [{ id } = { id: '' }] = orders.waiting()
    const withdraw = (key: SigningKey) => signedQuestion(a, key, { what: 'withdraw', id })
    const byOther = await answerTo(a, withdraw(ann))
    expect([byOther, waits()]).toEqual(['InvalidPayloadError', 1])
    const own = withdraw(main)
    expect([await answerTo(a, own), waits()]).toEqual(['done', 0])
    // Signed later than the withdrawal, also where both are of one millisecond.
    await answer(a, signed(a, main, revoke(a, 'b'), { timeMs: Date.now() + 1 }))
    expect([await answerTo(a, own), waits()]).toEqual(['ChangedMeanwhileError', 1])
    return {
      happened: `a withdrawal of another operator: ${byOther}; one that is played again: nothing is taken back`,
      held: 'an order that waits is taken back by its signer alone, by a word that is newer'
    }
  })

  attack(
    'are asked for, and an order that its operator has taken back is played again beside that of another',
    async () => {
      const { network, root, a, main, ann } = await two([3])
      await using _ = network
      const { orders } = root.registry.admission
      const order = signed(a, main, revoke(a, 'b'))
      await answer(a, order)
      const [{ id } = { id: '' }] = orders.waiting()
      expect(await answerTo(a, signedQuestion(a, main, { what: 'withdraw', id }))).toBe('done')
      const alone = await answer(a, order)
      expect(await answer(a, signed(a, ann, revoke(a, 'b')))).toBe('SecondOperatorError')
      const beside = await answer(a, order)
      expect([alone, beside]).toEqual(['ChangedMeanwhileError', 'ChangedMeanwhileError'])
      expect(root.registry.replica.state.memberByName('b')).toBeDefined()
      return {
        happened: `it was played again alone: ${alone}, and beside the order of another operator: ${beside}`,
        held: 'what an operator has taken back counts no more, for as long as it would have'
      }
    }
  )

  control('who has ordered it takes it back, and orders it anew', async () => {
    const { network, root, a, main, ann } = await two([3])
    await using _ = network
    const { orders } = root.registry.admission
    await answer(a, signed(a, main, revoke(a, 'b')))
    const [{ id } = { id: '' }] = orders.waiting()
    expect(await answerTo(a, signedQuestion(a, main, { what: 'withdraw', id }))).toBe('done')
    expect(await answer(a, signed(a, ann, revoke(a, 'b')))).toBe('SecondOperatorError')
    // Later than the withdrawal, also where both are of one millisecond.
    expect(await answer(a, signed(a, main, revoke(a, 'b'), { timeMs: Date.now() + 1 }))).toBe('1 entered')
  })

  attack('give two members the same name at once', async () => {
    const { network, root, a, main, ann } = await two([])
    await using _ = network
    const answers = await Promise.all([
      answer(a, signed(a, main, rename(a, 'a', 'x'))),
      answer(a, signed(a, ann, rename(a, 'b', 'x')))
    ])
    expect(answers.toSorted((x, y) => x.localeCompare(y))).toEqual(['1 entered', expect.stringMatching(/Error$/)])
    const names = [...root.registry.replica.state.members()].map(({ name }) => name)
    expect(names.filter((name) => name === 'x')).toHaveLength(1)
    return {
      happened: `two renames to one name at once: ${answers.join(', ')}; one member has it`,
      held: 'a name is of one member, by a rule of the log that holds at the place of the entry'
    }
  })

  attack('are asked for, and the first one is removed while its order waits', async () => {
    const { network, root, a, same, main, ann } = await two([3])
    await using _ = network
    // The policy asks for two: without a third one nobody could be removed.
    expect(await answer(a, signed(a, main, operator(SigningKey.generate(), 'cat')))).toBe('1 entered')
    await same()
    expect(await answer(a, signed(a, ann, revoke(a, 'b')))).toBe('SecondOperatorError')
    expect(await answer(a, signed(a, main, operator(ann, 'ann', true)))).toBe('1 entered')
    await same()
    const { n } = root.registry.replica.head
    const answers = [await answer(a, signed(a, main, revoke(a, 'b'))), await answer(a, signed(a, ann, revoke(a, 'b')))]
    expect(answers).toEqual(['SecondOperatorError', 'NotOperatorError'])
    expect(root.registry.replica.head.n).toBe(n)
    expect(root.registry.replica.state.memberByName('b')).toBeDefined()
    return {
      happened: `the second operator signs what a removed one had ordered: ${answers[0]}; the removed one signs again: ${answers[1]}; 0 entries`,
      held: 'an order that waits counts by who is an operator when the entry is made'
    }
  })

  control('of whom both sign make the entry, which names both', async () => {
    const { network, root, a, main, ann } = await two([3])
    await using _ = network
    expect(await answer(a, signed(a, main, revoke(a, 'b')))).toBe('SecondOperatorError')
    expect(await answer(a, signed(a, ann, revoke(a, 'b')))).toBe('1 entered')
    const [entry] = root.registry.replica.read(root.registry.replica.head.n - 1, 1 << 20)
    expect(entry).toBeDefined()
    expect(root.registry.replica.state.memberByName('b')).toBeUndefined()
  })
})
