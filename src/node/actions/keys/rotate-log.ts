import { equals } from 'uint8arrays/equals'
import { toString as text } from 'uint8arrays/to-string'
import { peerIdText } from '../../../identity/keys.ts'
import { withReplica } from '../../../registry/log/epochs/new-epoch.ts'
import { Root } from '../../../registry/log/log-writer.ts'
import type { Replica } from '../../../registry/log/replica.ts'
import { comparePositions } from '../../../registry/log/state/position.ts'
import { type LogEntry, openEntry } from '../../../registry/objects/entry.ts'
import type { Signed } from '../../../registry/objects/envelope.ts'
import { within } from '../../../runtime/abort.ts'
import { InvalidPayloadError, NotRootError, UnavailableError } from '../../../runtime/errors.ts'
import type { EnteredView, PreparedView, SpreadView } from '../../api/registry-views.ts'
import { dataFiles } from '../../config/paths.ts'
import type { NetworkNode } from '../../network-node.ts'
import type { NodeContext } from '../../node-context.ts'
import { keepNextLogKey, nextLogKey, preparedLogKey } from '../../root/log-key.ts'
import { refOf } from '../../views/refs.ts'
import { bytesOf } from '../base64.ts'

/** The root appends nothing for at most so long, so that the place stays the one that is signed for. */
const heldMs = 15_000
const heldReason = 'an entry of the authority is being signed: the root appends again in a moment'
const helloMs = 3_000
/** Members that are asked for their head at once. */
const askedAtOnce = 200

const hex = (bytes: Uint8Array): string => text(bytes, 'base16')

/**
 * Tells the place that the next entry of the authority is signed for, and makes the log key of a new epoch. The root appends nothing until
 * the entry is there, or too much time went by.
 * @throws the reason why this root appends nothing
 */
export async function prepareEntry(
  { config, clock, seat }: NodeContext,
  { registry }: NetworkNode,
  { kind }: { kind: 'authority' | 'delegate' }
): Promise<PreparedView> {
  const { root, replica } = registry
  if (root === undefined) throw new NotRootError('only the root can do that')
  if (seat !== undefined) {
    // The store is at the head of the database then, and this process holds the lease.
    release(root)
    await root.checkpoint()
  }
  hold(root)
  // Behind what is being appended.
  const { head, keys } = await replica.ledger.exclusive(() =>
    Promise.resolve({ head: replica.head, keys: replica.state.keys })
  )
  const logKey = kind === 'delegate' ? nextLogKey(dataFiles(config.paths.data).logKey, keys) : undefined
  return {
    networkId: hex(registry.networkId),
    epoch: head.epoch,
    n: head.n,
    headHash: hex(head.hash),
    timeMs: Math.max(clock.now(), replica.timeMs),
    authorityKey: hex(keys.authorityKey),
    nextAuthorityDigest: hex(keys.nextAuthorityDigest),
    logKey: logKey === undefined ? null : hex(logKey.publicKey)
  }
}

/** Roots whose place is kept, with the end of that time. */
const holds = new WeakMap<Root, NodeJS.Timeout>()

/** Keeps the place at the head. Whoever asks again takes over. @throws the reason why this root appends nothing */
function hold(root: Root): void {
  if (root.refusal !== undefined && !holds.has(root)) throw root.refusal
  clearTimeout(holds.get(root))
  root.fence(heldReason)
  holds.set(root, setTimeout(() => release(root), heldMs).unref())
}

function release(root: Root): void {
  if (!holds.has(root)) return
  clearTimeout(holds.get(root))
  holds.delete(root)
  root.release()
}

/**
 * Enters what the authority has signed for that place. With a new log key the process begins its network anew, with the same store and socket.
 * @throws InvalidPayloadError, UnavailableError when the log went on meanwhile, LogMismatchError
 */
export async function enterEntry(
  node: NodeContext,
  { registry }: NetworkNode,
  { entry }: { entry: string }
): Promise<EnteredView> {
  requireLease(node)
  const signed = openEntry(bytesOf(entry), registry.networkId)
  const { kind, n, epoch } = signed.value
  const { root, replica } = registry
  if (kind === 'delegate') await openOwnEpoch(node, replica, signed)
  else if (kind === 'authority') {
    if (root === undefined) throw new NotRootError('only the root can do that')
    try {
      await root.enter(signed.bytes, () => release(root))
    } finally {
      release(root)
    }
  } else throw new InvalidPayloadError(`the authority signs no entry of the kind ${kind}`)
  return { epoch, n, members: node.attached.registry.replica.state.memberCount }
}

/** The new log key counts from this entry on. It is entered while nothing is open, so that no entry comes between. */
async function openOwnEpoch(node: NodeContext, { head }: Replica, entry: Signed<LogEntry>): Promise<void> {
  const { store, logKey: path } = dataFiles(node.config.paths.data)
  const { value } = entry
  const next = preparedLogKey(path)
  if (value.kind !== 'delegate' || next === undefined || !equals(value.body.logKey, next.publicKey)) {
    throw new InvalidPayloadError('the entry is for another log key than the one that was made here')
  }
  if (value.n !== head.n + 1) throw wentOn()
  let failure: Error | undefined
  await node.beginAnew('the root goes on with a new log key', async () => {
    try {
      requireLease(node)
      await withReplica({ path: store }, async (replica) => {
        const { logger } = node.logging
        const root = new Root({ replica, logKey: next, nodeKey: node.key, logger })
        await root.enter(entry.bytes)
        await root.close()
      })
      keepNextLogKey(path)
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error))
    }
  })
  if (failure !== undefined) throw failure
}

/** A new epoch ends what another process has appended to a database meanwhile. @throws NotRootError */
function requireLease({ seat }: NodeContext): void {
  if (seat === undefined || seat.isHeld) return
  throw new NotRootError('another process is the root by now: nothing was changed, run this on its machine')
}

const wentOn = (): UnavailableError =>
  new UnavailableError('the log went on meanwhile: nothing was changed, run this again', 0)

/** Tells which members hold the log up to an entry: those that are connected are asked for their heads. */
export async function spreadView(
  node: NodeContext,
  network: NetworkNode,
  { epoch, n }: { epoch: number; n: number },
  signal: AbortSignal
): Promise<SpreadView> {
  const { registry, trust, heads, host } = network
  const has = (peerId: string): boolean => {
    const position = heads.positions.get(peerId)
    return position !== undefined && comparePositions(position, { epoch, n }) >= 0
  }
  const behind = [...trust.members()].filter(({ member }) => !has(peerIdText(member.publicKey))).slice(0, askedAtOnce)
  const ask = within(helloMs, signal)
  await Promise.allSettled(behind.map(({ connection }) => host.services.hello.again(connection, { signal: ask })))
  await heads.settled()
  const others = [...registry.replica.state.members()].filter(({ publicKey }) => !equals(publicKey, node.key.publicKey))
  return {
    epoch,
    n,
    members: others.map(({ publicKey }) => {
      const position = heads.positions.get(peerIdText(publicKey))
      return { ...refOf(registry, publicKey), has: has(peerIdText(publicKey)), head: position?.n ?? null }
    })
  }
}
