import { describe, expect } from 'vitest'
import { SigningKey } from '../../../src/identity/keys.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { connectionTo } from '../../../src/node/root/way-to-root.ts'
import { ask } from '../../../src/protocols/admin/index.ts'
import type { Act } from '../../../src/registry/objects/orders/act.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually } from '../../helpers/network.ts'
import { attack, control } from '../attack.ts'
import { answer, isOperator, operator, rename, revoke, signed, started } from './orders.ts'

/** Words for a member that brings an order to another one, which is not the root. */
async function brought(from: TrustNode, to: TrustNode, act: Act): Promise<string> {
  const signal = AbortSignal.timeout(ceilingMs)
  const { limits } = from.attached
  await eventually(() => from.registry.records.read(to.key.publicKey) !== undefined)
  const connection = await connectionTo(from.attached, to.key.publicKey, signal)
  return await ask(connection, { acts: [act] }, { networkId: from.registry.networkId, limits, signal }).then(
    ({ entries }) => `${entries.length} entered`,
    (error: Error) => error.name
  )
}

const counted = (answers: readonly string[]): string =>
  [...new Set(answers)].map((name) => `${answers.filter((each) => each === name).length} ${name}`).join(', ')

/** PeerIds that a node names for a limit of orders. */
const named = ({ attached }: TrustNode): string[] =>
  attached.trust.culprits.counts
    .filter(({ limit }) => limit.startsWith('admin.'))
    .flatMap(({ limit, culprits }) => culprits.map(({ who }) => `${limit} ${who}`))

const tries = 40

describe('a node through which members bring orders to the root', () => {
  attack('is given orders of no operator without end, until the root hears its own no more and names it', async () => {
    const { network, root, a, main } = await started()
    await using _ = network
    const eve = network.node('b')
    const nobody = SigningKey.generate()
    const answers: string[] = []
    for (let at = 0; at < tries; at++) answers.push(await brought(eve, a, signed(a, nobody, revoke(a, 'a'))))
    expect(await answer(a, signed(a, main, rename(a, 'b', 'eve')))).toBe('1 entered')
    expect(answers).not.toContain('1 entered')
    expect(named(root)).toEqual([])
    const told = network.logs.filter((line) => line.includes('an order was refused') && line.includes('"node":"root"'))
    expect(told).toEqual([])
    return {
      happened: `${tries} orders of no operator through a: ${counted(answers)}; a's own order is entered, the root names nobody`,
      held: 'a node judges what others bring before it asks in its own name'
    }
  })

  attack('is given an order again and again that an operator has signed, as the log shows it to all', async () => {
    const { network, root, a, same, main } = await started()
    await using _ = network
    const eve = network.node('b')
    const order = signed(a, main, operator(SigningKey.generate(), 'ann'))
    expect(await answer(a, order)).toBe('1 entered')
    await same()
    const answers: string[] = []
    // Two at a time, as many streams as there may be: faster than its share comes back, on a slow machine too.
    for (let at = 0; at < tries; at += 2) {
      answers.push(...(await Promise.all([brought(eve, a, order), brought(eve, a, order)])))
    }
    expect(await answer(a, signed(a, main, rename(a, 'b', 'eve')))).toBe('1 entered')
    expect(named(root)).toEqual([])
    expect(named(a)).toContain(`admin.relayedOfPeer ${eve.peerId}`)
    return {
      happened: `${tries} times the same order through a: ${counted(answers)}; a's own order is entered, and a names the member`,
      held: 'admin.relayed is half of what a node may ask of the root, admin.relayedOfPeer the share of one member'
    }
  })

  control('brings that of an operator to the root, whoever carries it', async () => {
    const { network, root, a, main } = await started()
    await using _ = network
    const ann = SigningKey.generate()
    expect(await brought(network.node('b'), a, signed(a, main, operator(ann, 'ann')))).toBe('1 entered')
    await eventually(() => isOperator(root, ann))
  })
})
