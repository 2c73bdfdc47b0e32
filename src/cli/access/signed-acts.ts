import { isDeepStrictEqual } from 'node:util'
import { peerIdText } from '../../identity/keys.ts'
import type { MembersView } from '../../node/api/control-api.ts'
import { actText, questionOf } from '../../node/views/log-view.ts'
import { minEndChars } from '../../node/views/peer-names.ts'
import { policyValues } from '../../node/views/policy-view.ts'
import type { EntryBodies } from '../../registry/objects/entry.ts'
import { readStoredJoin } from '../../registry/objects/join.ts'
import { contentOf, idOfActs, type OpenedAct } from '../../registry/objects/orders/act.ts'

/** A call as it was asked for. */
export interface Asked {
  readonly call: string
  readonly input: Readonly<Record<string, unknown>>
  /** The members as the node listed them before it drafted anything. */
  readonly members?: readonly ListedMember[]
}

type ListedMember = Pick<MembersView['members'][number], 'peerId' | 'name' | 'role' | 'groups'>

/** Calls whose entries leave out, or say anew, what only the list of members tells. */
export const callsAboutMembers: ReadonlySet<string> = new Set([
  'changeMember',
  'endMember',
  'retireRegistry',
  'allowPublisher',
  'removePublisher'
])

type Content = OpenedAct['content']

/** The clocks of node and command may differ by so much. */
const skewMs = 600_000
const defaultTtlMs = 3_600_000

type Act = Parameters<typeof contentOf>[0]

/**
 * Lines for the operator that say what is to be signed; an empty one: a question that changes nothing.
 * @throws Error that says how it is something else than was asked for
 */
export const actsToSign = (asked: Asked, acts: readonly Act[]): string[] => {
  const isOfEachKindOne = new Set(acts.map(({ kind }) => kind)).size === acts.length
  // An id stands for all that waits together.
  require(isOfEachKindOne || asked.call === 'approveOrder', 'several of one kind')
  return acts.map((act) => (act.kind === 0 ? questionToSign(asked, act.body) : changeToSign(asked, act, acts)))
}

function changeToSign(asked: Asked, act: Act, acts: readonly Act[]): string {
  const { call, input } = asked
  const check = checks.get(call)
  if (check === undefined) throw other(`a change, which nothing checks for ${call}`)
  const content = contentOf(act)
  check(input, content, acts)
  if (callsAboutMembers.has(call)) isListed(asked, content)
  return lineOf(content)
}

/** Text of an act; of a policy with the values, too, that were not asked for and nothing holds against. */
const lineOf = (content: Content): string =>
  content.kind === 'policy'
    ? `${actText(content)}: ${JSON.stringify(policyValues(bodyOf(content, 'policy')))}`
    : actText(content)

const questionToSign = ({ call, input }: Asked, bytes: Uint8Array): string => {
  const question = questionOf(bytes)
  if (question.what === 'waiting') return ''
  if (question.what === 'withdraw') {
    require(call === 'withdrawOrder', 'it takes back what waits')
    same('the id', question.id, input['id'])
    return `withdraw what waits as ${question.id}`
  }
  require(call === 'reject', 'it turns away a join')
  same('the reason', question.reason, input['reason'])
  return `turn away the join ${Buffer.from(question.join).toString('hex').slice(0, 12)}: ${question.reason}`
}

/** Holds one of the acts against the input of the call. */
type Check = (input: Asked['input'], content: Content, acts: readonly Act[]) => void

const checks: ReadonlyMap<string, Check> = new Map(
  Object.entries<Check>({
    approve: ({ peer }, content) => {
      if (!('join' in content)) throw other(`an entry of kind ${content.kind}`)
      const { publicKey, name } = readStoredJoin(content.join)
      isPeer(peer, publicKey, name)
    },
    revoke: ({ peer, reason }, content) => {
      const { publicKey, name, reason: said } = bodyOf(content, 'revoke')
      isPeer(peer, publicKey, name)
      same('the reason', said, reason)
    },
    endMember: ({ peer, reason }, content) => {
      const { publicKey, reason: said } = bodyOf(content, 'end')
      isPeer(peer, publicKey, undefined)
      same('the reason', said, reason)
    },
    changeMember: ({ peer, name, role, groups }, content) => {
      const body = bodyOf(content, 'change')
      isPeer(peer, body.publicKey, name === undefined ? body.name : undefined)
      given('the name', body.name, name)
      given('the role', body.role, role)
      given('the groups', sorted(body.groups), groups === undefined ? undefined : sorted(groups))
    },
    retireRegistry: ({ peer }, content) => {
      if (content.kind === 'registrySet') {
        isPeer(peer, content.body.publicKey, undefined)
        require(content.body.removed, 'it enters a registry')
        return
      }
      const { publicKey, name, role } = bodyOf(content, 'change')
      isPeer(peer, publicKey, name)
      require(role === 'integrated' || role === 'external', `it makes a ${role}`)
    },
    invite: (input, content) => {
      const body = bodyOf(content, 'grant')
      same('the role', body.role, input['role'] ?? 'integrated')
      same('the name', body.name, input['name'] ?? input['replaces'])
      same('the member that is replaced', body.replaces, input['replaces'])
      same('the uses', body.uses, input['uses'] ?? 1)
      same('the note', body.note, input['note'] ?? '')
      same('the groups', sorted(body.groups), sorted(input['groups'] ?? []))
      same('the time of an ephemeral member', body.ephemeralMs, input['ephemeralMs'])
      const ttlMs = typeof input['ttlMs'] === 'number' ? input['ttlMs'] : defaultTtlMs
      require(body.notAfterMs <= Date.now() + ttlMs + skewMs, 'it is open for longer')
    },
    cancelInvite: ({ id, reason }, content) => {
      const body = bodyOf(content, 'grantEnd')
      require(Buffer.from(body.id).toString('hex').startsWith(String(id)), 'it ends another invite')
      same('the reason', body.reason, reason)
    },
    setPolicy: (changes, content) => {
      const values = policyValues(bodyOf(content, 'policy'))
      for (const [key, value] of Object.entries(changes)) {
        if (key === 'witnessKeys') same(key, sorted(values.witnessKeys), sorted(value))
        else if (!notOfPolicy.has(key)) given(key, plain(Reflect.get(values, key)), value)
      }
    },
    addOperator: ({ name, keyId }, content) => {
      const body = bodyOf(content, 'operator')
      require(!body.removed, 'it removes an operator')
      same('the name', body.name, name)
      same('the key', peerIdText(body.publicKey), keyId)
    },
    removeOperator: ({ name }, content) => {
      const body = bodyOf(content, 'operator')
      require(body.removed, 'it enters an operator')
      same('the name', body.name, name)
    },
    retireDocument: ({ id, reason }, content) => {
      const body = bodyOf(content, 'retire')
      same('the document', body.id, id)
      same('the reason', body.reason, reason)
    },
    allowPublisher: ({ publisher }, content) => {
      const { publicKey, removed } = bodyOf(content, 'publisher')
      require(!removed, 'it removes a publisher')
      isPeer(publisher, publicKey, undefined)
    },
    removePublisher: ({ publisher }, content) => {
      const { publicKey, removed } = bodyOf(content, 'publisher')
      require(removed, 'it lets somebody publish')
      isPeer(publisher, publicKey, undefined)
    },
    approveOrder: ({ id }, _, acts) => same('the id', idOfActs(acts), id)
  })
)

/** Holds a change of a member against the list: it is about the one that was named, and what was not asked for stays as it is. */
function isListed({ call, input, members = [] }: Asked, content: Content): void {
  const { publicKey } = bodyOf(
    content,
    content.kind === 'registrySet' || content.kind === 'end' || content.kind === 'publisher' ? content.kind : 'change'
  )
  // A whole key needs no member that has it: a publisher may be none.
  if (content.kind === 'publisher' && input['publisher'] === peerIdText(publicKey)) return
  const listed = members.find(({ peerId }) => peerId === peerIdText(publicKey))
  const asked = String(input['peer'] ?? input['publisher'])
  const named = members.find(({ name }) => name === asked)
  const isMeant = listed !== undefined && (named === undefined ? isEndOf(asked, listed.peerId) : listed === named)
  require(isMeant, `about ${peerIdText(publicKey)}, who is not ${asked} in its list of members`)
  if (content.kind !== 'change') return
  const { name, role, groups } = bodyOf(content, 'change')
  same('the name', name, input['name'] ?? listed?.name)
  if (call !== 'retireRegistry') same('the role', role, input['role'] ?? listed?.role)
  same('the groups', sorted(groups), sorted(input['groups'] ?? listed?.groups))
}

/** Texts in one order. */
const sorted = (texts: unknown): string[] => {
  const all = Array.isArray(texts) ? texts.map(String) : []
  return all.toSorted((a, b) => (a < b ? -1 : 1))
}

/** Fields of the call that are no values of the policy. */
const notOfPolicy: ReadonlySet<string> = new Set(['seen', 'force'])

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null))

function bodyOf<K extends keyof EntryBodies>(content: Content, kind: K): EntryBodies[K] {
  if (content.kind !== kind || !('body' in content)) throw other(`an entry of kind ${content.kind}`)
  const { body }: { body: unknown } = content
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a kind has the body of its kind
  return body as EntryBodies[K]
}

/** True for a PeerId or an end of it; a key that ends in a few letters is soon made. */
const isEndOf = (asked: string, peerId: string): boolean => asked.length >= minEndChars && peerId.endsWith(asked)

/** Holds a key against the member that was named: by PeerId, or an end of it, always; by a name only where the entry has one. */
const isPeer = (peer: unknown, publicKey: Uint8Array, name: string | undefined): void => {
  const asked = String(peer)
  const id = peerIdText(publicKey)
  if (isEndOf(asked, id)) return
  if (asked.startsWith('12D3KooW')) throw other(`about ${id}`)
  if (name !== undefined && name !== asked) throw other(`about ${name} ${id}`)
}

const same = (what: string, found: unknown, asked: unknown): void => {
  if (!isDeepStrictEqual(found, asked)) throw other(`${what}: ${JSON.stringify(found)}`)
}

const given = (what: string, found: unknown, asked: unknown): void => {
  if (asked !== undefined) same(what, found, asked)
}

const require = (holds: boolean, what: string): void => {
  if (!holds) throw other(what)
}

const other = (what: string): Error => new Error(what)
