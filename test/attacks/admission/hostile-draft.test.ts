import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { asOperator } from '../../../src/cli/access/as-operator.ts'
import { actsToSign } from '../../../src/cli/access/signed-acts.ts'
import { createKey } from '../../../src/identity/key-file.ts'
import { peerIdText } from '../../../src/identity/keys.ts'
import { minEndChars } from '../../../src/node/views/peer-names.ts'
import type { EntryContent } from '../../../src/registry/objects/entry.ts'
import { actOf } from '../../../src/registry/objects/orders/act.ts'
import { defaultPolicy } from '../../../src/registry/objects/policy/policy.ts'
import type { Scripted } from '../../helpers/commands/scripted.ts'
import { ScriptedApi, stampedApi } from '../../helpers/control-process.ts'
import { tempFolder } from '../../helpers/temp.ts'
import { attack, control } from '../attack.ts'
import { type Draft, drafts, eve, hal, revokeOf } from './drafts.ts'

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

/** A node that asks for a signature under this, whatever was asked of it. */
class DraftingApi extends ScriptedApi {
  orders = 0
  readonly #content: EntryContent

  constructor(content: EntryContent) {
    super()
    this.#content = content
  }

  override members: Scripted['members'] = async () => ({
    members: [row(hal, 'hal'), row(eve, 'eve')]
  })

  override beginOrdered: Scripted['beginOrdered'] = async () => {
    const { kind, body } = actOf(this.#content)
    const sign = [{ kind, body: Buffer.from(body).toString('base64') }]
    return { ticket: 't', networkId: askedFor, epoch: 0, seenN: 1, sign, answer: null }
  }

  override signOrdered: Scripted['signOrdered'] = async ({ orders }) => {
    this.orders += orders.length
    return { ticket: 't', networkId: askedFor, epoch: 0, seenN: 1, sign: [], answer: {} }
  }
}

async function signedBy(ask: Draft['ask'], content: EntryContent, { isWanted = true, pinned = askedFor } = {}) {
  using folder = tempFolder()
  const keyFile = join(folder.path, 'ann.key')
  createKey(keyFile)
  const api = new DraftingApi(content)
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
