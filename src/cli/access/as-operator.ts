import { resolve } from 'node:path'
import type { CallOptions, ControlApi } from '../../node/api/control-api.ts'
import type { OrderedView } from '../../node/api/registry-views.ts'
import { ExitError, exitCodes } from '../output/exit.ts'

/** Calls that an operator signs, and the numbers of the kinds of entries that each makes; 0: a question. */
const signed: ReadonlyMap<string, readonly number[]> = new Map([
  ['approve', [0, 1]],
  ['reject', [0]],
  ['invite', [12]],
  ['cancelInvite', [13]],
  ['setPolicy', [11]],
  ['revoke', [3]],
  ['changeMember', [14]],
  ['endMember', [15]],
  ['retireRegistry', [5, 14]],
  ['addOperator', [16]],
  ['removeOperator', [16]],
  ['waitingOrders', [0]],
  ['approveOrder', [0, 1, 3, 5, 8, 10, 11, 12, 13, 14, 15, 16]]
])

/** Signatures of one call: what waits is asked for first. */
const maxSteps = 4

/** The same process, asked in the name of the operator whose key the file holds: it says what is to be signed, and never sees the key. */
export const asOperator = (api: ControlApi, keyFile: string): ControlApi =>
  new Proxy(api, {
    get: (known, name): unknown => {
      const kinds = typeof name === 'string' ? signed.get(name) : undefined
      if (kinds === undefined) return Reflect.get(known, name)
      return (input: Record<string, unknown> = {}, options: CallOptions = {}) =>
        ordered({ api, keyFile, call: String(name), kinds }, input, options)
    }
  })

interface OrderedCall {
  api: ControlApi
  keyFile: string
  call: string
  kinds: readonly number[]
}

async function ordered(
  { api, keyFile, call, kinds }: OrderedCall,
  input: Record<string, unknown>,
  options: CallOptions
) {
  const sign = await signerOf(resolve(keyFile), kinds)
  let view = await api.beginOrdered({ call, input: JSON.stringify(input) }, options)
  for (let step = 0; view.answer === null; step++) {
    if (step === maxSteps) throw unexpected('more signatures than the command needs')
    view = await api.signOrdered({ ticket: view.ticket, orders: sign(view) }, options)
  }
  return view.answer
}

/** Loads the key, and what signs with it, only for a command that signs. */
async function signerOf(path: string, kinds: readonly number[]): Promise<(view: OrderedView) => string[]> {
  const [{ loadKey }, { sealOrder }, { digestOf }] = await Promise.all([
    import('../../identity/key-file.ts'),
    import('../../registry/objects/orders/order.ts'),
    import('../../registry/objects/orders/act.ts')
  ])
  const key = loadKey(path)
  return ({ networkId, epoch, seenN, sign }) =>
    sign.map(({ kind, body }) => {
      if (!kinds.includes(kind)) throw unexpected(`an entry of kind ${kind}`)
      const digest = digestOf({ kind, body: Buffer.from(body, 'base64') })
      const order = { networkId: Buffer.from(networkId, 'hex'), kind, digest, epoch, seenN, timeMs: Date.now() }
      return Buffer.from(sealOrder(order, key).bytes).toString('base64')
    })
}

const unexpected = (what: string): ExitError =>
  new ExitError(
    exitCodes.failure,
    `The node asked for a signature under ${what}: nothing was signed. Is it of another version?`
  )
