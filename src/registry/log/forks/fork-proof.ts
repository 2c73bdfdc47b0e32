import { equals } from 'uint8arrays/equals'
import { fromString } from 'uint8arrays/from-string'
import { toString as text } from 'uint8arrays/to-string'
import { z } from 'zod'
import { peerIdText } from '../../../identity/keys.ts'
import { networkIdText } from '../../../identity/network-id.ts'
import { InvalidEnvelopeError, InvalidPayloadError } from '../../../runtime/errors.ts'
import { openCheckpoint } from '../../objects/checkpoint.ts'
import { openEntry } from '../../objects/entry.ts'
import { openGenesis } from '../../objects/genesis.ts'
import type { EvidenceRow } from '../../store/log-rows.ts'
import { revokedBy } from '../log-rows.ts'
import type { Replica } from '../replica.ts'
import { LogKeys } from '../state/log-keys.ts'
import { hasRow, type RowWitness } from '../state/merkle-tree.ts'

const envelope = z.base64().max(16 * 1024)

const rules = z.object({
  format: z.literal('trustnet-fork-proof'),
  version: z.literal(1),
  network: z.string(),
  genesis: envelope,
  delegations: z.array(envelope).max(128),
  one: envelope,
  other: envelope,
  /** Row of the state to which `other`, a checkpoint, commits, in the place where `one` says that a key is revoked. */
  witness: z.object({ rows: z.base64().max(256 * 1024), path: z.array(z.base64().max(64)).max(64) }).optional()
})

const base64 = (bytes: Uint8Array): string => text(bytes, 'base64pad')
const bytesOf = (written: string): Uint8Array => fromString(written, 'base64pad')

/** The facts that a proof shows to anybody, without any replica. */
export interface ForkVerdict {
  readonly networkId: Uint8Array
  readonly domain: string
  readonly epoch: number
  /** two: one number, two entries; missing: an entry that holds for ever, and a later state without it. */
  readonly kind: 'two' | 'missing'
  /** The entry of which the same key has signed two, or that is missing. */
  readonly n: number
  /** Log key of that epoch, as text. */
  readonly signer: string
  /** Hashes of both entries, or of the entry and of the state without it. */
  readonly hashes: readonly [string, string]
}

/** Two statements of one log key that cannot both be true, with all that leads from the genesis to that key. As JSON. */
export function makeForkProof(
  replica: Pick<Replica, 'genesis' | 'networkId' | 'delegations'>,
  row: EvidenceRow,
  witness?: RowWitness
): string {
  const proof = {
    format: 'trustnet-fork-proof',
    version: 1,
    network: networkIdText(replica.networkId),
    genesis: base64(replica.genesis.bytes),
    delegations: replica.delegations().map(base64),
    one: base64(row.other ?? new Uint8Array()),
    other: base64(row.envelope),
    ...(witness !== undefined && { witness: { rows: base64(witness.rows), path: witness.path.map(base64) } })
  }
  return `${JSON.stringify(proof, null, 2)}\n`
}

/** @throws InvalidPayloadError, InvalidEnvelopeError … when it proves nothing */
export function verifyForkProof(json: string): ForkVerdict {
  const proof = parse(json)
  const genesis = openGenesis(bytesOf(proof.genesis))
  if (networkIdText(genesis.hash) !== proof.network)
    throw new InvalidPayloadError('the genesis is not that of the network')
  let keys = LogKeys.of(genesis)
  for (const each of proof.delegations) {
    const entry = openEntry(bytesOf(each), genesis.hash)
    keys = entry.value.kind === 'authority' ? keys.afterAuthority(entry) : keys.afterDelegate(entry)
  }
  const one = open(bytesOf(proof.one), genesis.hash)
  const other = open(bytesOf(proof.other), genesis.hash)
  for (const each of [one, other]) requireSigner(each, keys)
  if (one.epoch !== other.epoch) {
    throw new InvalidPayloadError(
      'the two statements are of two epochs: the key of the older one proves nothing of now'
    )
  }
  const found = differing(one, other) ?? missing(proof, one, other, keys)
  if (found === undefined) throw new InvalidPayloadError('the two statements can both be true: they prove nothing')
  const hashes = [text(found.hash, 'base16'), text(found.against, 'base16')] as const
  const { kind, n } = found
  const network = { networkId: genesis.hash, domain: genesis.value.domain }
  return { ...network, epoch: other.epoch, kind, n, signer: peerIdText(other.signer), hashes }
}

interface Found {
  kind: ForkVerdict['kind']
  n: number
  hash: Uint8Array
  against: Uint8Array
}

/** Two hashes for one number. */
function differing(one: Statement, other: Statement): Found | undefined {
  for (const [n, hash] of one.says) {
    const against = other.says.get(n)
    if (against !== undefined && !equals(against, hash)) return { kind: 'two', n, hash, against }
  }
  return undefined
}

/** An entry that revokes a key, and a state of the same log at that entry or later in which it does not. */
function missing(
  { witness }: z.output<typeof rules>,
  one: Statement,
  other: Statement,
  keys: LogKeys
): Found | undefined {
  const { revokes } = one
  const { stateRoot } = other
  if (witness === undefined || revokes === undefined || stateRoot === undefined || one.n > other.n) return undefined
  if (!keys.isValidAt(one.epoch, one.n) || !keys.isValidAt(other.epoch, other.n)) return undefined
  const { hash } = one
  const row = { tag: 'revoked' as const, key: revokes, value: hash }
  const isThere = hasRow(stateRoot, row, { rows: bytesOf(witness.rows), path: witness.path.map(bytesOf) })
  return isThere === false ? { kind: 'missing', n: one.n, hash, against: stateRoot } : undefined
}

function parse(json: string): z.output<typeof rules> {
  try {
    return rules.parse(JSON.parse(json))
  } catch (error) {
    throw new InvalidPayloadError(
      'the file is no proof of a fork, or of a newer version: name one that a node has kept',
      { cause: error }
    )
  }
}

interface Statement {
  epoch: number
  n: number
  signer: Uint8Array
  isDelegation: boolean
  /** Hash of the entry at n. */
  hash: Uint8Array
  /** Hash of the entry at each position that it speaks of. */
  says: Map<number, Uint8Array>
  /** The key that it shuts out for ever. */
  revokes?: Uint8Array | undefined
  /** State root of a checkpoint. */
  stateRoot?: Uint8Array
}

function open(bytes: Uint8Array, networkId: Uint8Array): Statement {
  try {
    const { value, signer, hash } = openEntry(bytes, networkId)
    const says = new Map([
      [value.n - 1, value.prevHash],
      [value.n, hash]
    ])
    const isDelegation = value.kind === 'delegate'
    return { epoch: value.epoch, n: value.n, signer, isDelegation, hash, says, revokes: revokedBy(value) }
  } catch (error) {
    if (!(error instanceof InvalidEnvelopeError)) throw error
  }
  const { value, signer } = openCheckpoint(bytes, networkId)
  const { epoch, n, headHash, stateRoot } = value
  return { epoch, n, signer, isDelegation: false, hash: headHash, says: new Map([[n, headHash]]), stateRoot }
}

function requireSigner({ epoch, n, signer, isDelegation }: Statement, keys: LogKeys): void {
  const isRight = isDelegation ? equals(signer, keys.authorityKey) : keys.isKeyOf(epoch, signer)
  if (!isRight)
    throw new InvalidPayloadError(`the statement on entry ${n} is not signed by the log key of epoch ${epoch}`)
}
