import { describe, expect } from 'vitest'
import { peerIdText, SigningKey } from '../../../src/identity/keys.ts'
import { becomeRoot } from '../../../src/node/offline/become-root.ts'
import { eventually } from '../../helpers/network.ts'
import { KitNetwork } from '../../helpers/registry/kit-network.ts'
import { attack, control } from '../attack.ts'
import { answer, isOperator, minute, operator, operatorKey, policy, rename, revoke, signed, started } from './orders.ts'

describe('an order', () => {
  attack('is played again when it was carried out and undone, before and after the root starts anew', async () => {
    const { network, root, a, same, main } = await started()
    await using _ = network
    const mallory = SigningKey.generate()
    const order = signed(a, main, operator(mallory, 'mallory'))
    expect(await answer(a, order)).toBe('1 entered')
    await same()
    expect(await answer(a, signed(a, main, operator(mallory, 'mallory', true)))).toBe('1 entered')
    const { n } = root.registry.replica.head
    const again = await Promise.all([answer(a, order), answer(a, order), answer(a, order)])
    const { port } = root.attached
    await root.stop()
    const anew = await network.start('root', { role: 'root', 'listen.port': port })
    anew.registry.root?.release()
    await eventually(async () => (await answer(a, order)) === '1 entered')
    expect(anew.registry.replica.head.n).toBe(n)
    expect(isOperator(anew, mallory)).toBe(false)
    return {
      happened: `4 replays: ${again.join(', ')}, which was the entry of the first time; 0 entries, no operator`,
      held: 'the log is the memory of orders: one that was carried out is answered with its entry, after a restart too'
    }
  })

  control('is a new one when the operator signs once more', async () => {
    const { network, root, a, same, main } = await started()
    await using _ = network
    const friend = SigningKey.generate()
    for (const removed of [false, true, false]) {
      expect(await answer(a, signed(a, main, operator(friend, 'friend', removed)))).toBe('1 entered')
      await same()
    }
    expect(isOperator(root, friend)).toBe(true)
  })

  attack('is altered: another body, another kind, bytes of it', async () => {
    const { network, root, a, main } = await started()
    await using _ = network
    const { n } = root.registry.replica.head
    const order = signed(a, main, revoke(a, 'b'))
    const other = signed(a, main, revoke(a, 'a'))
    const answers = new Map<string, number>()
    const tried = [
      { ...order, body: other.body },
      { ...order, kind: 15 },
      { ...order, kind: 0 },
      { ...order, body: new Uint8Array(0) },
      ...Array.from(Array(12).keys(), (i) => ({
        ...order,
        order: order.order.with(i * 20 + 5, (order.order[i * 20 + 5] ?? 0) ^ 1)
      }))
    ]
    for (const act of tried) {
      await eventually(async () => {
        const said = await answer(a, act)
        if (said !== 'RateLimitedError') answers.set(said, (answers.get(said) ?? 0) + 1)
        return said !== 'RateLimitedError'
      })
    }
    expect([...answers.keys()].filter((said) => said.endsWith('entered'))).toEqual([])
    expect(root.registry.replica.head.n).toBe(n)
    return {
      happened: `${tried.length} altered orders: ${[...answers].map(([said, count]) => `${count} ${said}`).join(', ')}; 0 entries`,
      held: 'the digest in the order is of the body, and the signature is over all of it'
    }
  })

  attack('is held back for eleven minutes, or comes from the future', async () => {
    const { network, root, a, main } = await started()
    await using _ = network
    const { n } = root.registry.replica.head
    const at = (ms: number) => answer(a, signed(a, main, revoke(a, 'b'), { timeMs: Date.now() + ms }))
    const answers = [await at(-11 * minute), await at(11 * minute)]
    expect(answers).toEqual(['InvalidPayloadError', 'InvalidPayloadError'])
    expect(root.registry.replica.head.n).toBe(n)
    return {
      happened: `${answers.join(', ')}; 0 entries`,
      held: 'an order counts within the skew of the clocks, 10 min'
    }
  })

  control('that is nine minutes old, or whose clock is as far ahead, is carried out', async () => {
    const { network, a, main } = await started()
    await using _ = network
    expect(await answer(a, signed(a, main, revoke(a, 'b'), { timeMs: Date.now() - 9 * minute }))).toBe('1 entered')
  })

  attack('is sent to another network, whose operator has the same key', async () => {
    const [one, two] = [await started(), await started()]
    await using _ = one.network
    await using other = two.network
    expect(other.networkId).not.toBe(one.network.networkId)
    const key = SigningKey.generate()
    for (const { a, main, same } of [one, two]) {
      expect(await answer(a, signed(a, main, operator(key, 'ann')))).toBe('1 entered')
      await same()
    }
    const { n } = two.root.registry.replica.head
    const said = await answer(two.a, signed(one.a, key, policy(two.a, { nameHoldMs: 0 })))
    expect(said).toBe('WrongNetworkError')
    expect(two.root.registry.replica.head.n).toBe(n)
    return {
      happened: `an order of the first network at the second: ${said}; 0 entries`,
      held: 'an order names its network'
    }
  })

  attack('is withheld by the member that it goes through, until it was asked for elsewhere and undone', async () => {
    const { network, root, a, same, main } = await started()
    await using _ = network
    const mallory = SigningKey.generate()
    // What the lying member keeps, and says that it could not pass on.
    const withheld = [signed(a, main, rename(a, 'b', 'bob')), signed(a, main, operator(mallory, 'mallory'))]
    for (const change of [() => rename(a, 'b', 'bob'), () => operator(mallory, 'mallory')]) {
      expect(await answer(a, signed(a, main, change()))).toBe('1 entered')
      await same()
    }
    for (const undo of [() => rename(a, 'bob', 'b'), () => operator(mallory, 'mallory', true)]) {
      expect(await answer(a, signed(a, main, undo()))).toBe('1 entered')
      await same()
    }
    const { n } = root.registry.replica.head
    const answers: string[] = []
    for (const act of withheld) answers.push(await answer(a, act))
    expect(answers).toEqual(['ChangedMeanwhileError', 'ChangedMeanwhileError'])
    expect(root.registry.replica.head.n).toBe(n)
    expect(isOperator(root, mallory)).toBe(false)
    return {
      happened: `${withheld.length} orders that come late: ${answers.join(', ')}; 0 entries`,
      held: 'an order says what its signer knew, and nothing that it changes may be newer'
    }
  })

  attack('is by an operator who was removed, and by a member who is none', async () => {
    const { network, root, a, same, main } = await started()
    await using _ = network
    const fired = SigningKey.generate()
    await answer(a, signed(a, main, operator(fired, 'fired')))
    await same()
    const kept = signed(a, fired, revoke(a, 'b'))
    await answer(a, signed(a, main, operator(fired, 'fired', true)))
    await same()
    const { n } = root.registry.replica.head
    const answers = [
      await answer(a, kept),
      await answer(a, signed(a, fired, revoke(a, 'b'))),
      await answer(a, signed(a, a.key, revoke(a, 'b')))
    ]
    expect(answers).toEqual(['NotOperatorError', 'NotOperatorError', 'NotOperatorError'])
    expect(root.registry.replica.head.n).toBe(n)
    expect(network.logs.join('')).toContain('its key is that of no operator')
    return {
      happened: `${answers.length} orders: all NotOperatorError; 0 entries, the key and who brought it are in the log of the root`,
      held: 'who is an operator the log says at the place of the entry'
    }
  })

  attack('is by the key of an operator that was revoked, and is an operator still', async () => {
    const { network, root, a, same, main } = await started()
    await using _ = network
    const { key } = network.node('b')
    await answer(a, signed(a, main, operator(key, 'b')))
    await same()
    const kept = signed(a, key, operator(SigningKey.generate(), 'friend'))
    await answer(a, signed(a, main, revoke(a, 'b')))
    await same()
    const { n } = root.registry.replica.head
    const friend = operator(SigningKey.generate(), 'friend')
    const answers = [await answer(a, kept), await answer(a, signed(a, key, friend))]
    expect(answers).toEqual(['NotOperatorError', 'NotOperatorError'])
    expect(root.registry.replica.head.n).toBe(n)
    expect(network.logs.join('')).toContain('its key was revoked')
    return {
      happened: `${answers.length} orders: all NotOperatorError; 0 entries`,
      held: 'a revoked key orders nothing'
    }
  })

  control('of an operator who was not removed is carried out', async () => {
    const { network, root, a, same, main } = await started()
    await using _ = network
    const ann = SigningKey.generate()
    await answer(a, signed(a, main, operator(ann, 'ann')))
    await same()
    expect(await answer(a, signed(a, ann, revoke(a, 'b')))).toBe('1 entered')
    expect(root.registry.replica.state.memberByName('b')).toBeUndefined()
  })
})

describe('after a recovery', () => {
  attack(
    'the thief of the root is an operator still, entered one of his own, and kept an order of the right one',
    async () => {
      const network = await KitNetwork.create()
      await using _ = network
      const hal = await network.join('hal')
      const root = network.node('root')
      await eventually(() => hal.registry.replica.head.n === root.registry.replica.head.n)
      const stolen = operatorKey(network)
      const kept = signed(hal, stolen, policy(hal, { nameHoldMs: 0 }))
      const right = root.registry.replica.head.n
      const own = SigningKey.generate()
      expect(await answer(hal, signed(hal, stolen, operator(own, 'mallory')))).toBe('1 entered')
      await eventually(() => hal.registry.replica.head.n === root.registry.replica.head.n)
      await root.stop()
      const flags = { 'bootstrap.peers': [network.address('hal')] }
      await becomeRoot(network.recovery('fresh', flags, { epoch: { revokeFormer: true, fromN: right } }))
      const fresh = await network.start('fresh', { role: 'root', ...flags })
      fresh.registry.root?.release()
      await eventually(
        () => hal.registry.replica.head.epoch === 1 && hal.registry.replica.head.n === fresh.registry.replica.head.n
      )
      const { n } = fresh.registry.replica.head
      const answers: string[] = []
      for (const act of [
        signed(hal, own, policy(hal, { nameHoldMs: 0 })),
        signed(hal, stolen, policy(hal, { nameHoldMs: 0 })),
        kept
      ]) {
        await eventually(async () => {
          const said = await answer(hal, act)
          if (said !== 'UnavailableError') answers.push(said)
          return said !== 'UnavailableError'
        })
      }
      expect(answers).toEqual(['NotOperatorError', 'NotOperatorError', 'NotOperatorError'])
      expect(fresh.registry.replica.head.n).toBe(n)
      const left = fresh.registry.replica.state.operators().map(({ name }) => name)
      expect(left).toEqual(['fresh'])
      return {
        happened: `three orders at the new root: ${answers.join(', ')}; 0 entries; operators: ${left.join()}`,
        held: 'operators above the fork are void, and the recovery removes the one of the machine that is shut out'
      }
    }
  )

  attack('the thief of the key of an operator, who was removed above the place that is gone back to', async () => {
    const network = await KitNetwork.create()
    await using _ = network
    const hal = await network.join('hal')
    const root = network.node('root')
    const same = () => eventually(() => hal.registry.replica.head.n === root.registry.replica.head.n)
    await same()
    const ben = SigningKey.generate()
    expect(await answer(hal, signed(hal, operatorKey(network), operator(ben, 'ben')))).toBe('1 entered')
    await same()
    const right = root.registry.replica.head.n
    expect(await answer(hal, signed(hal, operatorKey(network), operator(ben, 'ben', true)))).toBe('1 entered')
    await same()
    await root.stop()
    const flags = { 'bootstrap.peers': [network.address('hal')] }
    const epoch = { revokeFormer: false, fromN: right }
    const plan = await becomeRoot(network.recovery('fresh', flags, { apply: false, epoch }))
    const { again } = await becomeRoot(network.recovery('fresh', flags, { epoch }))
    const ended = [{ kind: 'operator', id: peerIdText(ben.publicKey), name: 'ben', refused: null }]
    expect([plan.again, again]).toEqual([ended, ended])
    const fresh = await network.start('fresh', { role: 'root', ...flags })
    fresh.registry.root?.release()
    await eventually(
      () => hal.registry.replica.head.epoch === 1 && hal.registry.replica.head.n === fresh.registry.replica.head.n
    )
    const said = await answer(hal, signed(hal, ben, policy(hal, { nameHoldMs: 0 })))
    expect([said, isOperator(fresh, ben)]).toEqual(['NotOperatorError', false])
    return {
      happened: `an order with the key at the new root: ${said}; 0 entries; plan and answer name ben`,
      held: 'the new root removes again who was removed above the fork'
    }
  })

  control('the operator of the new root signs there', async () => {
    const network = await KitNetwork.create()
    await using _ = network
    const hal = await network.join('hal')
    await eventually(() => hal.registry.replica.head.n === network.node('root').registry.replica.head.n)
    await network.node('root').stop()
    const flags = { 'bootstrap.peers': [network.address('hal')] }
    await becomeRoot(network.recovery('fresh', flags))
    const fresh = await network.start('fresh', { role: 'root', ...flags })
    fresh.registry.root?.release()
    await fresh.registry.admission.invite({ role: 'integrated' })
    expect(fresh.registry.replica.state.grantCount).toBe(1)
  })
})
