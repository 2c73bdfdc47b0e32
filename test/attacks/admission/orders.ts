import { sha256 } from '../../../src/identity/hash.ts'
import { loadKey } from '../../../src/identity/key-file.ts'
import type { SigningKey } from '../../../src/identity/keys.ts'
import { dataFiles } from '../../../src/node/config/paths.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { carryOut } from '../../../src/node/root/carry-out.ts'
import { encodeQuestion, type Question } from '../../../src/protocols/admin/index.ts'
import type { EntryDraft } from '../../../src/registry/log/log-writer.ts'
import { type Act, actOf, digestOf } from '../../../src/registry/objects/orders/act.ts'
import { type Order, sealOrder } from '../../../src/registry/objects/orders/order.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

export const minute = 60_000

/** A draft as an operator signs it, who knows what this node knows. */
export function signed(node: TrustNode, key: SigningKey, content: EntryDraft, changes: Partial<Order> = {}): Act {
  const { networkId, replica } = node.registry
  const act = actOf(content)
  const { epoch, n: seenN } = replica.head
  const told = { networkId, kind: act.kind, digest: digestOf(act), epoch, seenN, timeMs: Date.now() }
  return { ...act, order: sealOrder({ ...told, ...changes }, key).bytes }
}

/** What the root answers over the wire to what a member brings: the numbers of the entries, or the name of the refusal. */
export async function answer(from: TrustNode, ...acts: Act[]): Promise<string> {
  const { attached, key } = from
  try {
    const { entries } = await carryOut(attached, { acts }, key.publicKey, { signal: AbortSignal.timeout(ceilingMs) })
    return `${entries.length} entered`
  } catch (error) {
    return error instanceof Error ? error.name : String(error)
  }
}

/** A question as its operator signs it. */
export function signedQuestion(node: TrustNode, key: SigningKey, question: Question) {
  const { networkId, replica } = node.registry
  const bytes = encodeQuestion(question)
  const { epoch, n: seenN } = replica.head
  const told = { networkId, kind: 0, digest: sha256(bytes), epoch, seenN, timeMs: Date.now() }
  return { question: bytes, order: sealOrder(told, key).bytes }
}

/** `done`, or the name of the refusal. */
export async function answerTo(from: TrustNode, call: { question: Uint8Array; order: Uint8Array }): Promise<string> {
  try {
    await carryOut(from.attached, call, from.key.publicKey, { signal: AbortSignal.timeout(ceilingMs) })
    return 'done'
  } catch (error) {
    return error instanceof Error ? error.name : String(error)
  }
}

export const operatorKey = (network: TestNetwork, name = 'root'): SigningKey =>
  loadKey(dataFiles(network.config(name).config.paths.data).operatorKey)
export const operator = (key: SigningKey, name: string, removed = false): EntryDraft => ({
  kind: 'operator',
  body: { publicKey: key.publicKey, name, removed }
})
export const revoke = (node: TrustNode, name: string): EntryDraft => ({
  kind: 'revoke',
  body: { publicKey: node.registry.replica.state.memberByName(name)?.publicKey ?? new Uint8Array(32), reason: '', name }
})
export const rename = (node: TrustNode, from: string, to: string): EntryDraft => {
  const member = node.registry.replica.state.memberByName(from)
  if (member === undefined) throw new Error(`${from} is no member`)
  const { publicKey, role, groups } = member
  return { kind: 'change', body: { publicKey, name: to, role, groups } }
}
export const policy = (node: TrustNode, changes: object): EntryDraft => ({
  kind: 'policy',
  body: { ...node.registry.replica.state.policy, ...changes }
})

/** A root, and a member that holds as much of the log. */
export async function started() {
  const network = await TestNetwork.create()
  const a = await network.join('a')
  await network.join('b')
  const root = network.node('root')
  const same = () => eventually(() => a.registry.replica.head.n === root.registry.replica.head.n)
  await same()
  return { network, root, a, same, main: operatorKey(network) }
}

export const isOperator = (root: TrustNode, key: SigningKey): boolean =>
  root.registry.replica.state.operator(key.publicKey) !== undefined
