import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { asOperator } from '../../../src/cli/access/as-operator.ts'
import { createKey } from '../../../src/identity/key-file.ts'
import { peerIdText } from '../../../src/identity/keys.ts'
import type { ControlApi } from '../../../src/node/api/control-api.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { entryKinds } from '../../../src/registry/objects/entry.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

const late = /the same command, given again/

let network: TestNetwork
let root: TrustNode
let hal: TrustNode
/** The node of hal, asked in the name of the operator ann. */
let ann: ControlApi
let annId: string
beforeEach(async () => {
  network = await TestNetwork.create()
  root = network.node('root')
  hal = await network.join('hal')
  const keyFile = join(network.folder, 'ann.key')
  annId = peerIdText(createKey(keyFile).publicKey)
  await root.control.addOperator({ name: 'ann', keyId: annId })
  await caughtUp()
  ann = asOperator(hal.control, { keyFile, passphrase: async () => '', agrees: async () => true })
})
afterEach(() => network[Symbol.asyncDispose]())

const caughtUp = () => eventually(() => hal.registry.replica.head.n === root.registry.replica.head.n)

const opened = async (): Promise<string[]> => (await root.control.invites()).invites.map(({ id }) => id)

/** A method whose answers are held back, when it has done its work, for as long as the gate is shut. */
function heldBack<A extends unknown[], R>(known: (...args: A) => Promise<R>) {
  const gate = Promise.withResolvers<void>()
  const held = {
    done: 0,
    open: () => gate.resolve(),
    run: async (...args: A): Promise<R> => {
      const made = await known(...args)
      held.done++
      await gate.promise
      return made
    }
  }
  return held
}

test('a command at the root that was given up is answered, when it is given again, with what came of it', async () => {
  const giveUp = async () => {
    const gone = new AbortController()
    const asked = root.control.invite({ note: 'late' }, { signal: gone.signal })
    gone.abort()
    await expect(asked).rejects.toThrow(late)
  }
  await giveUp()
  const { id } = await root.control.invite({ note: 'late' })
  expect(await opened()).toEqual([id])
  await giveUp()
  await eventually(async () => (await opened()).length === 2)
  // Somebody takes it back: an answer from before says nothing any more.
  const unheard = (await opened()).find((each) => each !== id) ?? ''
  await root.control.cancelInvite({ id: unheard, reason: '' })
  const anew = await root.control.invite({ note: 'late' })
  expect(anew.id).not.toBe(unheard)
})

test('an order whose answer is late is answered, when it is given again, with its entry, and made once', async () => {
  const { orders } = root.registry.admission
  const held = heldBack(orders.submit.bind(orders))
  orders.submit = held.run
  const gone = new AbortController()
  const asked = ann.invite({ note: 'late' }, { signal: gone.signal })
  await eventually(() => held.done === 1)
  gone.abort()
  await expect(asked).rejects.toThrow(late)
  // Whoever knows no more than her name is asked to sign.
  const other = await hal.control.beginOrdered({ call: 'invite', input: JSON.stringify({ note: 'late' }), by: annId })
  expect([other.answer, other.sign.length]).toEqual([null, 1])
  const again = ann.invite({ note: 'late' })
  held.open()
  const { id } = await again
  expect(await opened()).toEqual([id])
  await caughtUp()
  expect((await ann.invite({ note: 'late' })).id).not.toBe(id)
})

test('what changes no entry of the log is carried out each time', async () => {
  await root.control.setPolicy({ twoOperators: [entryKinds.revoke] })
  await caughtUp()
  const order = () => expect(ann.revoke({ peer: 'hal', reason: '' })).rejects.toThrow('second operator')
  const waiting = async (): Promise<string[]> => (await root.control.waitingOrders()).waiting.map(({ id }) => id)
  await order()
  const [id = ''] = await waiting()
  const { orders } = root.registry.admission
  const held = heldBack(orders.withdraw.bind(orders))
  orders.withdraw = held.run
  const gone = new AbortController()
  const asked = ann.withdrawOrder({ id }, { signal: gone.signal })
  await eventually(() => held.done === 1)
  gone.abort()
  held.open()
  await asked.catch(() => {})
  await eventually(async () => (await waiting()).length === 0)
  await order()
  await ann.withdrawOrder({ id })
  expect(await waiting()).toEqual([])
})

test('an order whose answer is lost with the connection is sent again, and made once', async () => {
  const { orders } = root.registry.admission
  const submit = orders.submit.bind(orders)
  let count = 0
  orders.submit = async (...args) => {
    const entries = await submit(...args)
    if (count++ === 0) await root.libp2p.hangUp(hal.libp2p.peerId)
    return entries
  }
  const { id } = await ann.invite({})
  expect(count).toBeGreaterThan(1)
  expect(await opened()).toEqual([id])
})

test('a document whose answer is late is published, with its entry, when it is published again', async () => {
  await root.control.allowPublisher({ publisher: 'hal' })
  await caughtUp()
  const { documents } = root.registry
  const held = heldBack(documents.submit.bind(documents))
  documents.submit = held.run
  const input = { id: 'plan', mediaType: 'text/plain', content: Buffer.from('first').toString('base64') }
  await expect(hal.control.publishDocument(input)).rejects.toThrow(/may have been published all the same/)
  held.open()
  await caughtUp()
  const { n } = documents.get('plan')
  expect(await hal.control.publishDocument(input)).toMatchObject({ state: 'published', version: 1, entry: n })
  expect(await hal.control.publishDocument(input)).toMatchObject({ state: 'unchanged', version: 1, entry: n })
})
