import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { onTestFinished } from 'vitest'
import { sha256 } from '../../src/identity/hash.ts'
import { SigningKey } from '../../src/identity/keys.ts'
import type { Role } from '../../src/identity/role.ts'
import { createNetwork } from '../../src/registry/create-network.ts'
import { type EntryDraft, Root } from '../../src/registry/log/log-writer.ts'
import { openReplica, type Replica } from '../../src/registry/log/replica.ts'
import type { Signed } from '../../src/registry/objects/envelope.ts'
import type { Genesis } from '../../src/registry/objects/genesis.ts'
import type { Grant } from '../../src/registry/objects/grant.ts'
import { makeJoin } from '../../src/registry/objects/join.ts'
import { defaultPolicy, type Policy } from '../../src/registry/objects/policy/policy.ts'
import { sealRenewRequest } from '../../src/registry/objects/renew-request.ts'
import { sealRotateRequest } from '../../src/registry/objects/rotate.ts'
import { type Database, openDatabase } from '../../src/registry/store/database.ts'
import { GroupCommit } from '../../src/registry/store/group-commit.ts'
import { type Clock, silentLogger } from '../../src/runtime/clock-and-logger.ts'

/** Keys that are the same in every run. */
export const keyNumber = (number: number): SigningKey => {
  const seed = new Uint8Array(32)
  new DataView(seed.buffer).setUint32(0, number)
  return SigningKey.fromSeed(seed)
}

export const inviteKeyOf = (invite: number): SigningKey => keyNumber(2_000_000 + invite)

/** A clock that the test turns. */
export class TestClock implements Clock {
  nowMs = 1_700_000_000_000

  now(): number {
    return this.nowMs
  }

  monotonic(): number {
    return this.nowMs
  }
}

export interface OpenStore {
  path: string
  db: Database
  commit: GroupCommit
  replica: Replica
  close(): void
}

export const tempDir = (): string => {
  const path = mkdtempSync(joinPath(tmpdir(), 'trustnet-log-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** One network whose root and replicas live in files of a temporary folder. */
export class LogNetwork {
  readonly dir = tempDir()
  readonly clock = new TestClock()
  readonly authority = keyNumber(1001)
  readonly nextAuthority = keyNumber(1002)
  readonly rootKey = keyNumber(1003)
  readonly membershipMs = 90 * 24 * 3_600_000
  logKey = keyNumber(1004)
  #stores = 0

  /** The genesis, in a new store. */
  async create(path = this.newPath()): Promise<{ path: string; genesis: Signed<Genesis> }> {
    const genesis = await createNetwork({
      path,
      domain: 'example.org',
      name: 'Example',
      policy: { admission: 'invite', membershipMs: this.membershipMs, documentBytes: 4096 },
      authority: this.authority,
      nextAuthorityDigest: sha256(this.nextAuthority.publicKey),
      founder: { key: this.rootKey, name: 'root', logKey: this.logKey },
      clock: this.clock
    })
    return { path, genesis }
  }

  newPath(): string {
    return joinPath(this.dir, `store-${this.#stores++}.db`)
  }

  async open(path: string, genesis?: Uint8Array): Promise<OpenStore> {
    const db = openDatabase(path)
    const commit = new GroupCommit(db)
    const { clock } = this
    try {
      const replica = await openReplica({ db, commit, clock, logger: silentLogger, ...(genesis && { genesis }) })
      const close = (): void => {
        commit.close()
        db.close()
      }
      onTestFinished(close)
      return { path, db, commit, replica, close }
    } catch (error) {
      db.close()
      throw error
    }
  }

  /** A network with its root at work. */
  async start(): Promise<OpenStore & { root: Root }> {
    const { path } = await this.create()
    const store = await this.open(path)
    return { ...store, root: this.rootOf(store.replica) }
  }

  rootOf(replica: Replica, logKey = this.logKey): Root {
    const root = new Root({ replica, logKey, nodeKey: this.rootKey, logger: silentLogger })
    onTestFinished(() => root.stop())
    return root
  }

  /** A store that knows no more than the genesis. */
  follower(of: Replica): Promise<OpenStore> {
    return this.open(this.newPath(), of.genesis.bytes)
  }

  admit(
    networkId: Uint8Array,
    member: number,
    fields: { name?: string; role?: Role; invite?: number } = {}
  ): EntryDraft {
    const { name = `m${member}`, role = 'integrated', invite } = fields
    const key = keyNumber(member)
    const timeMs = this.clock.now()
    const base = { publicKey: key.publicKey, name, role, notAfterMs: timeMs + this.membershipMs }
    if (invite === undefined) {
      return {
        kind: 'admit',
        body: { ...base, via: 'approved', join: makeJoin({ networkId, key, name, role, timeMs }) }
      }
    }
    const grant = { id: this.grantId(invite) }
    const join = makeJoin({ networkId, key, name, role, grant, inviteKey: inviteKeyOf(invite), timeMs })
    return { kind: 'admit', body: { ...base, via: 'invite', grantId: grant.id, join } }
  }

  grantId(invite: number): Uint8Array {
    return sha256(inviteKeyOf(invite).publicKey).subarray(0, 16)
  }

  /** The invite of this number, for `admit` with it. */
  grant(invite: number, fields: Partial<Grant> = {}): EntryDraft {
    return {
      kind: 'grant',
      body: {
        id: this.grantId(invite),
        inviteKey: inviteKeyOf(invite).publicKey,
        role: 'integrated',
        groups: [],
        uses: 1,
        notAfterMs: this.clock.now() + 3_600_000,
        note: '',
        ...fields
      }
    }
  }

  grantEnd(invite: number, reason = ''): EntryDraft {
    return { kind: 'grantEnd', body: { id: this.grantId(invite), reason } }
  }

  policy(changes: Partial<Policy> = {}): EntryDraft {
    return { kind: 'policy', body: { ...defaultPolicy, documentBytes: 4096, ...changes } }
  }

  renew(replica: Pick<Replica, 'networkId' | 'state'>, member: number): EntryDraft {
    const key = keyNumber(member)
    const notAfterMs = replica.state.member(key.publicKey)?.notAfterMs ?? 0
    const request = sealRenewRequest({ networkId: replica.networkId, publicKey: key.publicKey, notAfterMs }, key)
    return {
      kind: 'renew',
      body: { publicKey: key.publicKey, notAfterMs: this.clock.now() + this.membershipMs, request: request.bytes }
    }
  }

  revoke(member: number, reason = 'lost'): EntryDraft {
    return { kind: 'revoke', body: { publicKey: keyNumber(member).publicKey, reason } }
  }

  rotate(networkId: Uint8Array, from: number, to: number): EntryDraft {
    const oldKey = keyNumber(from)
    const newKey = keyNumber(to)
    const request = { networkId, oldKey: oldKey.publicKey, newKey: newKey.publicKey }
    return {
      kind: 'rotate',
      body: {
        oldKey: oldKey.publicKey,
        newKey: newKey.publicKey,
        proofOld: sealRotateRequest(request, oldKey).bytes,
        proofNew: sealRotateRequest(request, newKey).bytes
      }
    }
  }

  registrySet(member: number, removed = false): EntryDraft {
    return { kind: 'registrySet', body: { publicKey: keyNumber(member).publicKey, role: 'secondary', removed } }
  }

  publisher(member: number, removed = false): EntryDraft {
    return { kind: 'publisher', body: { publicKey: keyNumber(member).publicKey, removed } }
  }

  publish(id: string, documentVersion: number, sizeBytes = 10, publisherKey = this.rootKey.publicKey): EntryDraft {
    const digest = sha256(new TextEncoder().encode(`${id} ${documentVersion}`))
    return { kind: 'publish', body: { id, documentVersion, mediaType: 'text/plain', digest, sizeBytes, publisherKey } }
  }

  retire(id: string): EntryDraft {
    return { kind: 'retire', body: { id, reason: 'old' } }
  }
}

export const envelopesAfter = (replica: Replica, n: number): Uint8Array[] =>
  replica.read(n, Number.MAX_SAFE_INTEGER).map(({ envelope }) => envelope)

/** What `to` lacks, as one delta. */
export const sendDelta = (from: Replica, to: Replica): Promise<{ applied: number }> =>
  to.apply(envelopesAfter(from, to.head.n), from.checkpoint?.bytes)

/** All of `from`, as a snapshot in pages. */
export async function sendSnapshot(from: Replica, to: Replica, pageBytes = 2000): Promise<void> {
  const { checkpoint } = from
  if (checkpoint === undefined) throw new Error('no checkpoint')
  for (let afterN = -1; ; ) {
    const page = from.readLive(afterN, pageBytes, checkpoint.value.n)
    const last = page.at(-1)
    if (last === undefined) return
    const { done } = await to.stage(
      page.map(({ envelope }) => envelope),
      checkpoint.bytes,
      { delegations: from.delegations() }
    )
    if (done) return
    afterN = last.n
  }
}

/** Name of the error with which it was refused, or `taken`. */
export const refusalOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'taken',
    (error: unknown) => (error instanceof Error ? error.name : String(error))
  )
