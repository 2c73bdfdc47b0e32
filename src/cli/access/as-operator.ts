import { resolve } from 'node:path'
import type { CallOptions, ControlApi } from '../../node/api/control-api.ts'
import type { OrderedView } from '../../node/api/registry-views.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { ExitError, exitCodes } from '../output/exit.ts'
import type { Asked } from './signed-acts.ts'

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
  ['retireDocument', [10]],
  ['allowPublisher', [8]],
  ['removePublisher', [8]],
  ['waitingOrders', [0]],
  ['withdrawOrder', [0]],
  ['approveOrder', [0, 1, 3, 5, 8, 10, 11, 12, 13, 14, 15, 16]]
])

/** Signatures of one call: what waits is asked for first. */
const maxSteps = 4

export interface Signing {
  readonly keyFile: string
  readonly passphrase: () => Promise<string>
  /** Network that the configuration here pins, in hex. */
  readonly network?: () => Promise<string | undefined>
  /** Shows what is to be signed. @returns whether the operator wants it */
  readonly agrees: (acts: readonly string[]) => Promise<boolean>
}

/** The same process, asked in the name of the operator whose key the file holds: it says what is to be signed, and never sees the key. */
export const asOperator = (api: ControlApi, signing: Signing): ControlApi =>
  new Proxy(api, {
    get: (known, name): unknown => {
      const kinds = typeof name === 'string' ? signed.get(name) : undefined
      if (kinds === undefined) return Reflect.get(known, name)
      return (input: Record<string, unknown> = {}, options: CallOptions = {}) =>
        ordered({ api, signing, call: String(name), kinds }, input, options)
    }
  })

interface OrderedCall {
  api: ControlApi
  signing: Signing
  call: string
  kinds: readonly number[]
}

async function ordered(
  { api, signing, call, kinds }: OrderedCall,
  given: Record<string, unknown>,
  options: CallOptions
) {
  // As it travels: what is not said is not there.
  const text = JSON.stringify(given)
  const input: Record<string, unknown> = JSON.parse(text)
  const { callsAboutMembers } = await import('./signed-acts.ts')
  const listed = callsAboutMembers.has(call) ? await api.members({}, options) : undefined
  const { sign, by } = await signerOf({ call, input, ...listed }, kinds, signing)
  let view = await api.beginOrdered({ call, input: text, by }, options)
  for (let step = 0; view.answer === null; step++) {
    if (step === maxSteps) throw unexpected('more signatures than the command needs', 'no more were made')
    view = await api.signOrdered({ ticket: view.ticket, orders: await sign(view) }, options)
  }
  return view.answer
}

/** Loads the key, and what signs with it, only for a command that signs. */
async function signerOf(
  asked: Asked,
  kinds: readonly number[],
  { keyFile, passphrase, network, agrees }: Signing
): Promise<{ sign: (view: OrderedView) => Promise<string[]>; by: string }> {
  const [{ loadOperatorKey }, { sha256 }, { sealOrder }, { digestOf }, { actsToSign }] = await Promise.all([
    import('./operator-key.ts'),
    import('../../identity/hash.ts'),
    import('../../registry/objects/orders/order.ts'),
    import('../../registry/objects/orders/act.ts'),
    import('./signed-acts.ts')
  ])
  const key = await loadOperatorKey(resolve(keyFile), passphrase)
  const pinned = await network?.()
  const linesOf = oneChange((acts) => actsToSign(asked, acts))
  const sign = async ({ networkId, epoch, seenN, sign: toSign }: OrderedView): Promise<string[]> => {
    if (pinned !== undefined && pinned !== networkId) throw unexpected('an order for another network')
    const acts = toSign.map(({ kind, body }) => ({ kind, body: Buffer.from(body, 'base64') }))
    const stray = acts.find(({ kind }) => !kinds.includes(kind))
    if (stray !== undefined) throw unexpected(`an entry of kind ${stray.kind}`)
    if (!(await agrees(linesOf(acts)))) throw new ExitError(exitCodes.refused, 'Nothing was signed.')
    return acts.map((act) => {
      const { kind } = act
      const order = {
        networkId: Buffer.from(networkId, 'hex'),
        kind,
        digest: digestOf(act),
        epoch,
        seenN,
        timeMs: Date.now()
      }
      return Buffer.from(sealOrder(order, key).bytes).toString('base64')
    })
  }
  // The same each time, and nobody else knows it: who asks for a late answer shows that it is the one who has asked.
  const proof = key.sign(Buffer.from(`trustnet command\n${asked.call}\n${JSON.stringify(asked.input)}`))
  return { sign, by: Buffer.from(sha256(proof)).toString('base64url') }
}

type ToLines = (acts: readonly { kind: number; body: Uint8Array }[]) => string[]

/** The lines of what was asked for, of which a call changes something once; a question for what waits changes nothing. */
const oneChange = (toLines: ToLines): ToLines => {
  let isSigned = false
  return (acts) => {
    const lines = checkedLines(toLines, acts)
    const isChange = lines.some((line) => line !== '')
    if (isChange && isSigned) throw unexpected('a second change', 'the first alone was signed')
    isSigned ||= isChange
    return lines
  }
}

const checkedLines = (toLines: ToLines, acts: Parameters<ToLines>[0]): string[] => {
  try {
    return toLines(acts)
  } catch (error) {
    throw unexpected(`something else than was asked for (${reasonOf(error)})`)
  }
}

const unexpected = (what: string, outcome = 'nothing was signed'): ExitError =>
  new ExitError(
    exitCodes.failure,
    `The node asked for a signature under ${what}: ${outcome}. Is it of another version, or in wrong hands?`
  )
