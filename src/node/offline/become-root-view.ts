import { chooseAddresses } from '../../address/announced-addresses.ts'
import { interfaceAddresses } from '../../address/interfaces.ts'
import { parseAddr } from '../../address/multiaddr.ts'
import { recordTtlSeconds, wantedRecords, zoneLine } from '../../dns/records.ts'
import { keyBytes } from '../../identity/ed25519.ts'
import { peerIdText } from '../../identity/keys.ts'
import type { EndAgain } from '../../registry/log/epochs/ends-again.ts'
import type { EntryLine, NewEpoch } from '../../registry/log/epochs/new-epoch.ts'
import type { Member } from '../../registry/log/state/network-state.ts'
import type { Config } from '../config/schema.ts'
import type { Evidence } from './evidence.ts'
import type { Source } from './gather-logs.ts'

/** An entry of the log, and whom it is about. */
export interface EntryRow {
  n: number
  epoch: number
  kind: string
  peerId: string | null
  name: string | null
  /** As its signer says. */
  timeMs: number
}

export interface EndedRow {
  kind: 'invite' | 'operator'
  /** Id of the invite, or of the key. */
  id: string
  name: string | null
  refused: string | null
}

export interface MemberRef {
  peerId: string
  name: string
}

/** Answer of `registry promote` and `registry recover`. */
export interface BecomeRootView {
  applied: boolean
  network: string
  /** Members that were asked for their log. */
  sources: Source[]
  /** The last entry that counts of the epochs before. */
  fork: { epoch: number; n: number }
  /** The last entries that count, ascending. */
  newest: EntryRow[]
  /** Entries that become void because --from is below them, ascending; none of their revokes is in force any more. */
  voided: EntryRow[]
  /** Invites that were taken back, and operators who were removed, by void entries: they are ended again, but those that say why not. */
  again: EndedRow[]
  epoch: number
  head: { epoch: number; n: number }
  former: MemberRef[]
  revoked: MemberRef[]
  admitted: string | null
  reissued: number
  /** Requests that waited here for the root and are decided by it after its start. */
  queued: number
  dns: { add: string[]; remove: string[] }
}

/** View of a new epoch that was planned or begun. */
export async function becomeRootView(
  { config, apply }: { config: Config; apply: boolean },
  { network, sources, queued, addressesOf }: Evidence,
  done: NewEpoch
): Promise<BecomeRootView> {
  return {
    applied: apply,
    network,
    sources,
    fork: { epoch: done.fork.epoch, n: done.fork.n },
    newest: done.newest.map(rowOf),
    voided: done.voided.map(rowOf),
    again: done.again.map(endedOf),
    epoch: done.epoch,
    head: { epoch: done.head.epoch, n: done.head.n },
    former: done.former.map(refOf),
    revoked: done.revoked.map(refOf),
    admitted: done.admitted ?? null,
    reissued: done.reissued,
    queued,
    dns: {
      add: await ownRecords(config),
      remove: recordsOf(config, done.former.flatMap(addressesOf))
    }
  }
}

const refOf = ({ publicKey, name }: Member): MemberRef => ({ peerId: peerIdText(publicKey), name })

const endedOf = ({ content, refused }: EndAgain): EndedRow => {
  const { kind, body } = content
  const common = { refused: refused ?? null }
  if (kind === 'operator') return { kind, id: peerIdText(body.publicKey), name: body.name, ...common }
  return { kind: 'invite', id: Buffer.from(body.id).toString('hex'), name: null, ...common }
}

const rowOf = ({ n, epoch, kind, subject, name, timeMs }: EntryLine): EntryRow => ({
  n,
  epoch,
  kind,
  peerId: subject === undefined || subject.length !== keyBytes ? null : peerIdText(subject),
  name: name ?? null,
  timeMs
})

async function ownRecords(config: Config): Promise<string[]> {
  const { announce, listen } = config
  const options = { ...announce, port: listen.port, host: listen.host }
  return recordsOf(config, announce.addresses ?? chooseAddresses(await interfaceAddresses(), options))
}

function recordsOf({ domain }: Config, multiaddrs: readonly string[]): string[] {
  if (domain === undefined) return []
  const addresses = new Set(multiaddrs.flatMap((address) => parseAddr(address)?.ip ?? []))
  return wantedRecords({ domain, addresses: [...addresses], ttlSeconds: recordTtlSeconds }).map(zoneLine)
}
