import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { asOperator } from '../../../src/cli/access/as-operator.ts'
import { actsToSign } from '../../../src/cli/access/signed-acts.ts'
import { createKey } from '../../../src/identity/key-file.ts'
import { peerIdText } from '../../../src/identity/keys.ts'
import type { OrderedView } from '../../../src/node/api/registry-views.ts'
import { minEndChars } from '../../../src/node/views/peer-names.ts'
import { encodeQuestion, type Question } from '../../../src/protocols/admin/index.ts'
import type { EntryContent } from '../../../src/registry/objects/entry.ts'
import { actOf } from '../../../src/registry/objects/orders/act.ts'
import { defaultPolicy } from '../../../src/registry/objects/policy/policy.ts'
import type { Scripted } from '../../helpers/commands/scripted.ts'
import { ScriptedApi, stampedApi } from '../../helpers/control-process.ts'
import { tempFolder } from '../../helpers/temp.ts'
import { attack, control } from '../attack.ts'
import { type Draft, drafts, eve, hal, orderOfAnother, revokeOf } from './drafts.ts'

const row = (publicKey: Uint8Array, name: string) => ({
  peerId: peerIdText(publicKey),
  name,
  role: 'integrated' as const,
  groups: [],
  expiresMs: Date.now(),
  ephemeralMs: null,
  entry: 1
})

/** Network that the node asks for. */
const askedFor = '11'.repeat(32)

type Drafted = ReturnType<typeof actOf>

interface Drafting {
  /** Drafts in one round. */
  copies?: number
  rounds?: number
}

/** A node that asks for a signature under this, whatever was asked of it. */
class DraftingApi extends ScriptedApi {
  orders = 0
  #roundsLeft: number
  readonly #sign: OrderedView['sign']

  constructor({ kind, body }: Drafted, { copies = 1, rounds = 1 }: Drafting) {
    super()
    this.#roundsLeft = rounds
    this.#sign = Array.from({ length: copies }, () => ({ kind, body: Buffer.from(body).toString('base64') }))
  }

  override members: Scripted['members'] = async () => ({
    members: [row(hal, 'hal'), row(eve, 'eve')]
  })

  override beginOrdered: Scripted['beginOrdered'] = async () => this.#next()

  override signOrdered: Scripted['signOrdered'] = async ({ orders }) => {
    this.orders += orders.length
    return this.#next()
  }

  #next(): OrderedView {
    const view = { ticket: 't', networkId: askedFor, epoch: 0, seenN: 1 }
    if (this.#roundsLeft === 0) return { ...view, sign: [], answer: {} }
    this.#roundsLeft--
    return { ...view, sign: this.#sign, answer: null }
  }
}

interface Scene extends Drafting {
  isWanted?: boolean
  pinned?: string
}

const signedBy = async (ask: Draft['ask'], content: EntryContent, scene?: Scene) =>
  await signedActBy(ask, actOf(content), scene)

async function signedActBy(
  ask: Draft['ask'],
  act: Drafted,
  { isWanted = true, pinned = askedFor, ...drafting }: Scene = {}
) {
  using folder = tempFolder()
  const keyFile = join(folder.path, 'ann.key')
  createKey(keyFile)
  const api = new DraftingApi(act, drafting)
  const shown: string[] = []
  const agrees = async (acts: readonly string[]) => {
    shown.push(...acts)
    return isWanted
  }
  const passphrase = async () => ''
  const network = async () => pinned
  const failure = await ask(asOperator(stampedApi(api), { keyFile, passphrase, network, agrees })).then(
    () => undefined,
    (error: Error) => error.message
  )
  return { orders: api.orders, shown, failure }
}

describe('a node that an operator signs through', () => {
  attack('asks for a signature under something else than was asked for', async () => {
    let tried = 0
    for (const { what, ask, wrong } of drafts) {
      for (const content of wrong) {
        const { orders, shown, failure } = await signedBy(ask, content)
        expect([orders, shown], `${what}: ${content.kind}`).toEqual([0, []])
        expect(failure).toContain('nothing was signed')
        tried++
      }
    }
    return {
      happened: `${tried} other entries for ${drafts.length} commands: 0 orders signed`,
      held: 'the command decodes what it is to sign and holds it against what was asked for'
    }
  })

  attack('asks for what was asked for several times at once, or again and again', async () => {
    const others = drafts.filter((draft) => draft !== orderOfAnother)
    for (const { what, ask, right } of others) {
      const atOnce = await signedBy(ask, right, { copies: 2 })
      expect([atOnce.orders, atOnce.shown], what).toEqual([0, []])
      expect(atOnce.failure).toContain('several of one kind')
      const again = await signedBy(ask, right, { rounds: 3 })
      expect([again.orders, again.shown.length], what).toEqual([1, 1])
      expect(again.failure).toContain('a second change')
    }
    return {
      happened: `${others.length} commands: two drafts at once: 0 orders; the same in three rounds: 1 order`,
      held: 'a call signs one change of each kind, once'
    }
  })

  attack('asks for two orders under the id of one', async () => {
    const { ask, right } = orderOfAnother
    const { orders, failure } = await signedBy(ask, right, { copies: 2 })
    expect([orders, failure]).toEqual([0, expect.stringContaining('the id')])
    return { happened: '0 orders signed', held: 'an id stands for all that is signed with it' }
  })

  attack('asks to turn away a join that was to be let in, listed, or turned away for another reason', async () => {
    const question = { what: 'reject', join: new Uint8Array(32).fill(1), reason: 'unknown' } as const
    const signedFor = async (ask: Draft['ask'], asked: Question) =>
      await signedActBy(ask, { kind: 0, body: encodeQuestion(asked) })
    const asks: Draft['ask'][] = [
      (api) => api.approve({ peer: 'hal' }),
      (api) => api.waitingOrders({}),
      (api) => api.approveOrder({ id: '010203040506' }),
      (api) => api.reject({ peer: 'hal', reason: 'of another network' })
    ]
    for (const ask of asks) {
      const { orders, failure } = await signedFor(ask, question)
      expect([orders, failure]).toEqual([0, expect.stringContaining('nothing was signed')])
    }
    // The right question, and one for what waits, are signed.
    const reject: Draft['ask'] = (api) => api.reject({ peer: 'hal', reason: 'unknown' })
    expect(await signedFor(reject, question)).toMatchObject({ orders: 1, failure: undefined })
    expect(await signedFor(reject, { what: 'waiting' })).toMatchObject({ orders: 1, failure: undefined })
    return {
      happened: `${asks.length} calls with a question that turns away a join: 0 signed`,
      held: 'only `reject` turns away, and with the reason that was given'
    }
  })

  attack('asks for a signature under a change that nothing holds against the call', async () => {
    const act = actOf(revokeOf(hal))
    const calls = ['waitingOrders', 'reject', 'peers', 'constructor', '']
    for (const call of calls) {
      expect(() => actsToSign({ call, input: {} }, [act]), call).toThrow(`nothing checks for ${call}`)
    }
    return {
      happened: `${calls.length} calls without a check: each throws before anything is signed`,
      held: 'a change is signed for calls that have a check, and no others'
    }
  })

  attack('means a key that was made to end in what names a member', async () => {
    const name = peerIdText(eve).slice(-8)
    const members = [row(hal, name), row(eve, 'eve')]
    const draftsOf = (peer: string, publicKey: Uint8Array) =>
      [
        [
          { call: 'changeMember', input: { peer, name: 'dave' }, members },
          { kind: 'change', body: { publicKey, name: 'dave', role: 'integrated', groups: [] } }
        ],
        [
          { call: 'endMember', input: { peer, reason: 'done' }, members },
          { kind: 'end', body: { publicKey, reason: 'done' } }
        ]
      ] as const
    for (const [asked, content] of draftsOf(name, hal)) expect(actsToSign(asked, [actOf(content)])).toHaveLength(1)
    const tooShort = peerIdText(eve).slice(1 - minEndChars)
    for (const peer of [name, tooShort, '']) {
      for (const [asked, content] of draftsOf(peer, eve)) {
        expect(() => actsToSign(asked, [actOf(content)]), peer).toThrow('in its list of members')
      }
    }
    return {
      happened: "a PeerId that ends in another member's name, or in fewer letters than mean a key: nothing to sign",
      held: `a name goes before an end of a PeerId, which has at least ${minEndChars} characters`
    }
  })

  attack('asks for a signature for another network, of which the operator is one, too', async () => {
    const pinned = '22'.repeat(32)
    for (const { what, ask, right } of drafts) {
      const { orders, shown, failure } = await signedBy(ask, right, { pinned })
      expect([orders, shown], what).toEqual([0, []])
      expect(failure).toContain('another network')
    }
    return {
      happened: `${drafts.length} commands, each with an order for another network: 0 orders signed`,
      held: 'an order is for the network that the configuration of the node pins'
    }
  })

  control('shows the operator every value of a policy, asked for or not', async () => {
    const asked = { call: 'setPolicy', input: { admission: 'approve' } }
    const act = actOf({ kind: 'policy', body: { ...defaultPolicy, admission: 'approve', twoOperators: [3] } })
    expect(actsToSign(asked, [act])).toEqual([expect.stringContaining('"twoOperators":[3]')])
  })

  control('gets the signature under what was asked for, which the operator is shown first', async () => {
    for (const { what, ask, right } of drafts) {
      const { orders, shown, failure } = await signedBy(ask, right)
      expect([orders, shown.length, failure], what).toEqual([1, 1, undefined])
    }
    const [first] = drafts
    const refused = first && (await signedBy(first.ask, first.right, { isWanted: false }))
    expect(refused).toMatchObject({ orders: 0, failure: 'Nothing was signed.' })
    expect(refused?.shown[0]).toBe(`revoke ${peerIdText(hal)} stolen`)
  })
})
