import BetterSqlite3 from 'better-sqlite3'
import { equals } from 'uint8arrays/equals'
import { toString as textOf } from 'uint8arrays/to-string'
import { describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { openEntry } from '../../../../src/registry/objects/entry.ts'
import { domains } from '../../../../src/registry/objects/envelope.ts'
import { newGrantId } from '../../../../src/registry/objects/grant.ts'
import { openJoin } from '../../../../src/registry/objects/join.ts'
import { JoinRequest } from '../../../../src/registry/pb/registry.ts'
import {
  InvalidEnvelopeError,
  InvalidPayloadError,
  InviteExpiredError,
  InviteInvalidError,
  InviteUsedError,
  JoinRejectedError,
  LimitError,
  NameTakenError,
  NotFoundError,
  PendingError,
  RevokedError,
  WrongNetworkError
} from '../../../../src/runtime/errors.ts'
import { day, RealNetwork } from '../../../helpers/real-network.ts'
import { craft } from '../../../helpers/signed-objects.ts'

const hour = 3_600_000
const noPlace = { epoch: 0, n: 1, hash: new Uint8Array(32) }

const hex = ({ admit }: { admit: Uint8Array }): string => textOf(admit, 'base16')

const editStore = (path: string, sql: string): void => {
  const db = new BetterSqlite3(path)
  db.exec(sql)
  db.close()
}

describe('joining with an invite', () => {
  it('gives an admit entry that names the invite and ends with the membership', async () => {
    await using network = await RealNetwork.create()
    const { admission, replica, networkId } = network.root
    const key = SigningKey.generate()
    const invite = await network.invite()
    const { admit } = await admission.join(network.wish({ key, name: 'ann', invite }))
    const entry = openEntry(admit, networkId).value
    expect(entry).toMatchObject({ kind: 'admit', body: { name: 'ann', role: 'integrated', via: 'invite' } })
    expect(entry.kind === 'admit' && entry.body.notAfterMs).toBe(network.clock.now() + 90 * day)
    expect(entry.kind === 'admit' && entry.body.grantId).toEqual(invite.grant.id)
    expect(replica.isMember(key.publicKey)).toBe(true)
    expect(replica.checkpoint?.value.n).toBe(replica.head.n)
  })

  it('is answered with the same entry when the member asks again, however the invite stands by then', async () => {
    await using network = await RealNetwork.create()
    const { admission, replica } = network.root
    const wish = network.wish({ name: 'ann', invite: await network.invite() })
    const first = await admission.join(wish)
    const { n } = replica.head
    network.clock.advance(2 * hour)
    expect(hex(await admission.join(wish))).toBe(hex(first))
    expect(hex(await admission.join({ join: wish.join }))).toBe(hex(first))
    expect(replica.head.n).toBe(n)
  })

  it('happens once when it is asked for twice at the same time', async () => {
    await using network = await RealNetwork.create()
    const { admission, replica } = network.root
    const wish = network.wish({ name: 'ann', invite: await network.invite() })
    const { n } = replica.head
    const [one, other] = await Promise.all([admission.join(wish), admission.join(wish)])
    expect(one).toEqual(other)
    expect(replica.head.n).toBe(n + 1)
  })

  it('is refused when the invite is used up, also when all come at the same time', async () => {
    await using network = await RealNetwork.create()
    const { admission } = network.root
    const invite = await network.invite({ uses: 2 })
    const joins = ['ann', 'bob', 'cem', 'dan'].map((name) => admission.join(network.wish({ name, invite })))
    const results = await Promise.allSettled(joins)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(2)
    expect(results.filter((each) => each.status === 'rejected' && each.reason instanceof InviteUsedError)).toHaveLength(
      2
    )
    await expect(admission.join(network.wish({ name: 'eve', invite }))).rejects.toThrow(InviteUsedError)
  })

  it('is refused when the invite has ended', async () => {
    await using network = await RealNetwork.create()
    const invite = await network.invite({ ttlMs: 10_000 })
    network.clock.advance(10_001)
    const join = network.root.admission.join(network.wish({ name: 'ann', invite }))
    await expect(join).rejects.toThrow(InviteExpiredError)
    await expect(join).rejects.toThrow('ask the operator for a new one')
  })

  it('is refused with an invite of another network', async () => {
    await using network = await RealNetwork.create()
    await using other = await RealNetwork.create()
    const invite = await other.invite()
    await expect(network.root.admission.join(network.wish({ name: 'ann', invite }))).rejects.toThrow(InviteInvalidError)
    await expect(network.root.admission.join(other.wish({ name: 'ann', invite }))).rejects.toThrow(WrongNetworkError)
  })

  it('is refused with a forged invite', async () => {
    await using network = await RealNetwork.create()
    const { admission } = network.root
    const { grant, inviteKey } = await network.invite()
    const wish = network.wish({ name: 'ann', invite: { grant, inviteKey } })
    const broken = wish.join.slice()
    broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1
    await expect(admission.join({ join: broken })).rejects.toThrow(InvalidEnvelopeError)
    const unknown = { grant: { ...grant, id: newGrantId() }, inviteKey }
    await expect(admission.join(network.wish({ name: 'ann', invite: unknown }))).rejects.toThrow(InviteInvalidError)
    await expect(admission.join(wish)).resolves.toBeDefined()
  })

  it('is refused without the one-time key, and for another role or name than the invite is for', async () => {
    await using network = await RealNetwork.create()
    const { admission } = network.root
    const { grant, inviteKey } = await network.invite({ name: 'ann' })
    const stolen = { grant, inviteKey: SigningKey.generate() }
    await expect(admission.join(network.wish({ name: 'ann', invite: stolen }))).rejects.toThrow(InviteInvalidError)
    const invite = { grant, inviteKey }
    await expect(admission.join(network.wish({ name: 'bob', invite }))).rejects.toThrow(InviteInvalidError)
    await expect(admission.join(network.wish({ name: 'ann', role: 'secondary', invite }))).rejects.toThrow(
      InviteInvalidError
    )
    await expect(admission.join(network.wish({ name: 'ann', role: 'root', invite }))).rejects.toThrow(
      InvalidPayloadError
    )
  })

  it('does not let a relay use it for a key of its own', async () => {
    await using network = await RealNetwork.create()
    const { admission, networkId } = network.root
    const invite = await network.invite()
    const seen = openJoin(network.wish({ name: 'ann', invite }).join, networkId).value
    const key = SigningKey.generate()
    const message = { ...seen, version: 1, publicKey: key.publicKey, name: 'relay', role: 3 }
    const join = craft(domains.join, JoinRequest, message, key)
    await expect(admission.join({ join })).rejects.toThrow('the proof of the invite is wrong')
  })

  it('leaves the invite usable when the commit fails', async () => {
    await using network = await RealNetwork.create()
    const invite = await network.invite()
    const { n } = network.root.replica.head
    const wish = network.wish({ name: 'ann', invite })
    await network.root.close()
    // Each new log entry breaks a rule that only the commit looks at.
    editStore(
      network.path('root'),
      `
      CREATE TABLE parent (id INTEGER PRIMARY KEY) STRICT;
      CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED) STRICT;
      CREATE TRIGGER fail AFTER INSERT ON log BEGIN INSERT INTO child VALUES (1); END`
    )
    await network.startRoot()
    await expect(network.root.admission.join(wish)).rejects.toThrow('FOREIGN KEY')
    expect(network.root.replica.head.n).toBe(n)
    await network.root.close()
    editStore(network.path('root'), 'DROP TRIGGER fail')
    await network.startRoot()
    await network.root.admission.join(wish)
    expect(network.root.replica.head.n).toBe(n + 1)
    await expect(network.root.admission.join(network.wish({ name: 'bob', invite }))).rejects.toThrow(InviteUsedError)
  })

  it('leaves nothing of a batch behind when the database gives the whole transaction up', async () => {
    await using network = await RealNetwork.create()
    const invite = await network.invite({ uses: 3 })
    const { n } = network.root.replica.head
    await network.root.close()
    // What SQLite does by itself when the disk is full or fails.
    editStore(
      network.path('root'),
      `CREATE TRIGGER fail AFTER INSERT ON log WHEN new.n = ${n + 2} BEGIN SELECT RAISE(ROLLBACK, 'disk'); END`
    )
    const { admission } = await network.startRoot()
    const wishes = ['ann', 'bob', 'cem'].map((name) => network.wish({ name, invite }))
    const results = await Promise.allSettled(wishes.map((wish) => admission.join(wish)))
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    await network.root.close()
    editStore(network.path('root'), 'DROP TRIGGER fail')
    const again = await network.startRoot()
    expect(again.replica.head.n).toBe(n)
    for (const wish of wishes) await again.admission.join(wish)
    expect(again.replica.head.n).toBe(n + 3)
  })
})

describe('names', () => {
  it('are unique, and the refusal says who to ask', async () => {
    await using network = await RealNetwork.create()
    await network.admit('ann')
    const join = network.root.admission.join(network.wish({ name: 'ann', invite: await network.invite() }))
    await expect(join).rejects.toThrow(NameTakenError)
    await expect(join).rejects.toThrow('--replace ann')
  })

  it('go to one of two that ask at the same time, and the other keeps its invite', async () => {
    await using network = await RealNetwork.create()
    const { admission } = network.root
    const invites = [await network.invite(), await network.invite()]
    const results = await Promise.allSettled(
      invites.map((invite) => admission.join(network.wish({ name: 'ann', invite })))
    )
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    expect(results[1]).toMatchObject({ reason: { name: 'NameTakenError' } })
    const [, second] = invites
    await expect(
      admission.join(network.wish({ name: 'bob', ...(second && { invite: second }) }))
    ).resolves.toBeDefined()
  })

  it('of the root is not taken over, not even with an invite that its log key signed', async () => {
    await using network = await RealNetwork.create()
    const inviteKey = SigningKey.generate()
    const grant = {
      id: newGrantId(),
      inviteKey: inviteKey.publicKey,
      role: 'integrated',
      groups: [],
      name: 'root',
      replaces: 'root',
      uses: 1,
      notAfterMs: network.clock.now() + hour,
      note: ''
    } as const
    await network.root.root?.append([{ kind: 'grant', body: grant }])
    const wish = network.wish({ name: 'root', invite: { grant: { ...grant, ...noPlace }, inviteKey } })
    await expect(network.root.admission.join(wish)).rejects.toThrow(InvalidPayloadError)
    expect(network.root.replica.state.memberByName('root')?.publicKey).toEqual(network.rootKey.publicKey)
  })

  it('are taken over with an invite that replaces their holder, who is revoked in the same batch', async () => {
    await using network = await RealNetwork.create()
    const { admission, replica } = network.root
    const old = await network.admit('ann')
    const { n } = replica.head
    const invite = await network.invite({ replaces: 'ann' })
    expect(invite.grant).toMatchObject({ name: 'ann', replaces: 'ann' })
    const key = SigningKey.generate()
    await admission.join(network.wish({ key, name: 'ann', invite }))
    expect(replica.head.n).toBe(n + 3)
    expect(replica.state.isRevoked(old.publicKey)).toBe(true)
    expect(equals(replica.state.memberByName('ann')?.publicKey ?? new Uint8Array(), key.publicKey)).toBe(true)
    await expect(
      admission.join(network.wish({ key: old, name: 'old', invite: await network.invite() }))
    ).rejects.toThrow(RevokedError)
  })
})

describe('issuing an invite', () => {
  it.each([
    ['nobody to replace', { replaces: 'nobody' }, NotFoundError],
    ['a name that is taken', { name: 'root' }, NameTakenError],
    ['the root replaced', { replaces: 'root' }, InvalidPayloadError],
    ['the role root', { role: 'root' as const }, InvalidPayloadError],
    ['a name for many', { name: 'ann', uses: 2 }, InvalidPayloadError],
    ['no use', { uses: 0 }, InvalidPayloadError],
    ['a year', { ttlMs: 365 * day }, InvalidPayloadError],
    ['no time', { ttlMs: 0 }, InvalidPayloadError]
  ])('is refused for %s', async (_, options, error) => {
    await using network = await RealNetwork.create()
    await expect(network.invite(options)).rejects.toThrow(error)
  })

  it('is limited, and those that have ended make room', async () => {
    await using network = await RealNetwork.create({ openGrants: 2 })
    await network.invite()
    await network.invite()
    await expect(network.invite()).rejects.toThrow(LimitError)
    network.clock.advance(2 * day)
    await expect(network.invite()).resolves.toBeDefined()
  })
})

describe('after a rejection', () => {
  it("a valid invite counts more than the operator's earlier no", async () => {
    await using network = await RealNetwork.create()
    const { admission } = network.root
    const key = SigningKey.generate()
    await expect(admission.join(network.wish({ key, name: 'ann' }))).rejects.toThrow(PendingError)
    await admission.reject('ann', 'who is this?')
    await expect(admission.join(network.wish({ key, name: 'ann' }))).rejects.toThrow(JoinRejectedError)
    await admission.join(network.wish({ key, name: 'ann', invite: await network.invite() }))
  })
})

describe('invites that are over', () => {
  it('are cleared away once, by whatever makes room first, and keep no new one from being made', async () => {
    await using network = await RealNetwork.create()
    const { admission } = network.root
    await network.invite()
    const over = await network.invite()
    network.clock.advance(2 * day)
    const made = await Promise.all([
      network.invite({ note: 'a' }),
      network.invite({ note: 'b' }),
      admission.cancelInvite(textOf(over.grant.id, 'base16'), '').catch(() => undefined)
    ])
    expect(made[0].grant.note + made[1].grant.note).toBe('ab')
    expect(admission.invites.list().map(({ grant }) => grant.note)).toEqual(['a', 'b'])
  })

  it('are kept after a long pause of the root until a member confirms its clock', async () => {
    await using network = await RealNetwork.create()
    const key = SigningKey.generate()
    await network.root.admission.join(network.wish({ key, name: 'ann', invite: await network.invite() }))
    await network.invite({ note: 'over' })
    await network.root.close()
    network.clock.advance(2 * day)
    const { admission, root } = await network.startRoot()
    const notes = (): string[] => admission.invites.list().map(({ grant }) => grant.note)
    await admission.invite({ role: 'integrated', note: 'a' })
    expect(notes()).toEqual(['over', 'a'])
    root?.clock.heard(key.publicKey, network.clock.now())
    await admission.invite({ role: 'integrated', note: 'b' })
    expect(notes()).toEqual(['a', 'b'])
  })
})
