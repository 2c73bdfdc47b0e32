import type { SigningKey } from '../identity/keys.ts'
import { type Clock, silentLogger, systemClock } from '../runtime/clock-and-logger.ts'
import { StoreError } from '../runtime/errors.ts'
import { Root } from './log/log-writer.ts'
import { openReplica } from './log/replica.ts'
import type { Signed } from './objects/envelope.ts'
import { type Genesis, sealGenesis } from './objects/genesis.ts'
import { defaultPolicy, type Policy } from './objects/policy/policy.ts'
import { type Database, openDatabase } from './store/database.ts'
import { GroupCommit } from './store/group-commit.ts'
import { LogTable } from './store/log-table.ts'

/** The node that becomes the root, and what it signs the log with. */
export interface Founder {
  key: SigningKey
  name: string
  logKey: SigningKey
  /** The first operator. Without one nothing has to be ordered until there is one. */
  operator?: { publicKey: Uint8Array; name: string }
}

export interface CreateNetworkInit {
  /** Path of the store, which must hold no network. */
  path: string
  domain: string
  /** For people. */
  name: string
  /** Values that differ from the default. */
  policy: Partial<Policy>
  authority: SigningKey
  /** SHA-256 of the next authority key. */
  nextAuthorityDigest: Uint8Array
  founder: Founder
  clock?: Clock
}

/**
 * Makes a network: its genesis, its founder as first member and root registry, and a checkpoint over that, in the store of the root.
 * Nothing is kept open.
 *
 * @throws StoreError when the store holds a network already; InvalidPayloadError for a domain, name or policy that is none
 */
export async function createNetwork(init: CreateNetworkInit): Promise<Signed<Genesis>> {
  const { clock = systemClock, domain, name, authority, nextAuthorityDigest, founder } = init
  const policy = { ...defaultPolicy, ...init.policy }
  const fields = { domain, name, policy, nextAuthorityDigest, createdMs: clock.now() }
  const genesis = sealGenesis(
    { ...fields, authorityKey: authority.publicKey, logKey: founder.logKey.publicKey },
    authority
  )
  const db = openDatabase(init.path)
  try {
    await fill(db, init, genesis)
  } finally {
    db.close()
  }
  return genesis
}

async function fill(db: Database, init: CreateNetworkInit, genesis: Signed<Genesis>): Promise<void> {
  const { clock = systemClock, founder, path } = init
  const logger = silentLogger
  const { key, name, logKey, operator } = founder
  const commit = new GroupCommit(db)
  await clearUnfinished(db, commit, path)
  const replica = await openReplica({ db, commit, clock, logger, genesis: genesis.bytes })
  const { publicKey } = key
  const root = new Root({ replica, logKey, nodeKey: key, logger })
  const notAfterMs = genesis.value.createdMs + genesis.value.policy.membershipMs
  await root.append([
    { kind: 'admit', body: { publicKey, name, role: 'root', notAfterMs, via: 'founder' } },
    { kind: 'registrySet', body: { publicKey, role: 'root', removed: false } },
    ...(operator === undefined ? [] : [{ kind: 'operator' as const, body: { ...operator, removed: false } }])
  ])
  await root.stop()
  commit.close()
}

/** A genesis without a founder is what a crash in the middle left: nobody has seen it. */
async function clearUnfinished(db: Database, commit: GroupCommit, path: string): Promise<void> {
  const log = new LogTable(db)
  const last = log.last()
  if (last === undefined) return
  if (last.n > 0)
    throw new StoreError(`${path} holds a network already: choose another data folder, or move that one away`)
  await commit.write(() => log.clear())
}
