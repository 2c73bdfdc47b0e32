import { equals } from 'uint8arrays/equals'
import type { SigningKey } from '../../../identity/keys.ts'
import { peerIdText } from '../../../identity/keys.ts'
import { openEntry } from '../../../registry/objects/entry.ts'
import { sealRotation } from '../../../registry/objects/rotate.ts'
import { within } from '../../../runtime/abort.ts'
import { reasonOf } from '../../../runtime/error-message.ts'
import { NotMemberError, UnavailableError } from '../../../runtime/errors.ts'
import { failureOf } from '../../../runtime/failures.ts'
import type { RotateIdentityView } from '../../api/views.ts'
import type { NetworkNode } from '../../network-node.ts'
import type { NodeContext } from '../../node-context.ts'
import { selfRef } from '../../views/refs.ts'

/** Time in which a node with a new key has its session again, where nothing is wrong. */
const backMs = 15_000
/** An answer that was lost with the connection is seen in the log, or in that the old key is refused. */
const lostAnswerMs = 10_000

/**
 * Gives this node another key, by an entry of the log that both keys have signed. Name, role and membership stay; the old key is void for ever.
 * The process goes on: its host begins anew with the new PeerId. With `plan` it says what would happen.
 * @throws NotMemberError, KeyFileError, UnavailableError where no registry answers, and the registry's refusal
 */
export async function rotateIdentity(
  node: NodeContext,
  network: NetworkNode,
  { plan = false }: { plan?: boolean | undefined },
  signal: AbortSignal
): Promise<RotateIdentityView> {
  const { key, config } = node
  const self = selfRef(node)
  if (!network.isMember()) throw new NotMemberError('this node is no member: it has nothing to rotate; join first')
  const lost = lostText(network, key.publicKey)
  if (plan) return { ...self, newPeerId: null, entry: null, message: `${planText(config.role)}${lost('NEW_PEERID')}` }
  if (network.registry.root === undefined && network.session === undefined) throw noRegistry(network.trouble)
  const isLeft = node.rotation.next !== undefined
  const next = node.rotation.begin()
  const newPeerId = peerIdText(next.publicKey)
  const entry = await ask(node, network, next, signal)
  const left = `${isLeft ? leftText : ''}${lost(newPeerId)}`
  if (entry === 'waits') return { ...self, newPeerId, entry: null, message: `${waitingText}${left}` }
  await node.useKey(next)
  await back(node, within(backMs, signal))
  const n =
    entry === undefined
      ? (network.registry.replica.state.revoked(key.publicKey)?.n ?? null)
      : openEntry(entry, network.registry.networkId).value.n
  return { ...self, newPeerId, entry: n, message: `${doneText(node)}${left}` }
}

/** Tells an error that says nothing of what became of the request: the connection of a key that is void is closed. */
const isLostAnswer = (error: unknown): boolean => {
  const { code } = failureOf(error)
  return code === 'REVOKED' || code === 'TIMEOUT' || (error instanceof Error && error.name === 'StreamEndedError')
}

/** The rotate entry; undefined: the answer was lost, but the key counts; `waits`: it goes to the root when that is back. */
async function ask(
  node: NodeContext,
  { registry, session }: NetworkNode,
  next: SigningKey,
  signal: AbortSignal
): Promise<Uint8Array | 'waits' | undefined> {
  const proofs = sealRotation(registry.networkId, node.key, next)
  try {
    if (registry.root !== undefined) return (await registry.admission.rotate(proofs, node.key.publicKey)).entry
    return await session?.session.rotate(proofs, { signal })
  } catch (error) {
    if (failureOf(error).code === 'PENDING') return 'waits'
    if (!isLostAnswer(error)) throw error
    await node
      .until(() => node.rotation.isTrial || node.rotation.next === undefined, within(lostAnswerMs, signal))
      .catch(() => {
        throw new UnavailableError(
          `no answer came (${reasonOf(error)}), and the request may still reach the root: this node goes on with the new key as soon as the log says so; run this again to ask again, with the same new key`,
          5_000
        )
      })
    return undefined
  }
}

async function back(node: NodeContext, signal: AbortSignal): Promise<void> {
  const isBack = (): boolean =>
    node.network?.isMember() === true && (node.config.role === 'root' || node.network.session !== undefined)
  await node.until(isBack, signal).catch(() => {})
}

const noRegistry = (trouble: Error | undefined): UnavailableError =>
  new UnavailableError(
    `no registry answers${trouble === undefined ? '' : `: ${trouble.message}`}; nothing was changed. Try again when one does`,
    5_000
  )

const rootText =
  'Invites that were made before, `--peer` addresses with /p2p/ and _dnsaddr records name the old key: make new ones'

const planText = (role: string): string =>
  `would go on with a new key and PeerId, under its name, with its role; its connections begin anew, and the old key is void for ever.${role === 'root' || role === 'secondary' ? ` ${rootText}.` : ''} Nothing was changed`

const waitingText =
  'asked for a new key; the root is away, so the request waits at the registry. This node goes on with its key, and changes it by itself as soon as the log says so'

/** Says which rights stay with the old key, which is void, and how they are given anew. */
function lostText({ registry }: NetworkNode, publicKey: Uint8Array): (newPeerId: string) => string {
  const { state } = registry.replica
  const old = peerIdText(publicKey)
  const operator = state.operator(publicKey)?.name
  const isPublisher = state.publishers().some((row) => equals(row.publicKey, publicKey))
  const isLast = operator !== undefined && state.operators().length === 1
  const other = isLast
    ? 'no other operator is there, and the authority alone can enter one then (`trustnet registry recover`): enter one before'
    : `another operator runs \`trustnet operator remove ${operator}\` and \`trustnet operator add ${operator} --key FILE.pub\`, with a key that \`trustnet operator key\` has made`
  const order =
    operator === undefined ? '' : `. The old key is that of the operator ${operator}, and orders nothing then: ${other}`
  return (newPeerId) =>
    isPublisher
      ? `. The right to publish documents stays with the old key: an operator runs \`trustnet document allow-publisher ${newPeerId}\` and \`trustnet document remove-publisher ${old}\`${order}`
      : order
}

/** Added for whoever rotates because of a thief: this key lay on the disk, too. */
const leftText =
  '. The new key is the one that an earlier try has left on this disk: if somebody may have read it since, rotate once more'

const doneText = ({ network, config }: NodeContext): string => {
  const registry = config.role === 'root' || config.role === 'secondary' ? `. ${rootText}` : ''
  const session =
    config.role === 'root' || network?.session !== undefined
      ? ''
      : '; no registry has taken it back yet, it goes on trying'
  return `goes on with a new key; the old one is void for ever, and its file overwritten${session}${registry}`
}
