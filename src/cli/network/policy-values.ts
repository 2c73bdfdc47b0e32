import { LineCounter, parseDocument, stringify } from 'yaml'
import { z } from 'zod'
import type { PolicyValues, PolicyView } from '../../node/api/control-api.ts'
import { orderedKinds } from '../../node/api/words.ts'
import { formatDuration, parseDuration } from '../../node/config/durations.ts'
import { yamlFault } from '../../node/config/field-types/yaml-fault.ts'
import { UsageError } from '../output/exit.ts'
import { sanitise } from '../output/text.ts'

type Policy = PolicyView['policy']
type Simple = Exclude<keyof PolicyValues, 'rules' | 'tests' | 'witnessKeys'>
type Kind = 'duration' | 'number' | 'kinds' | readonly string[]

/** The words of the command line and of the text, in the order in which they are shown. */
export const simpleKeys: ReadonlyMap<string, { key: Simple; kind: Kind; what: string }> = new Map([
  ['admission', { key: 'admission', kind: ['invite', 'approve', 'open'], what: 'who is let in' }],
  ['membership', { key: 'membershipMs', kind: 'duration', what: 'how long an admission or renewal lasts' }],
  ['return-grace', { key: 'returnGraceMs', kind: 'duration', what: 'how long after its end it may still be renewed' }],
  ['name-hold', { key: 'nameHoldMs', kind: 'duration', what: 'how long the name of a revoked member is held' }],
  ['open-invites', { key: 'openGrants', kind: 'number', what: 'invites that may be open at once' }],
  ['invite-uses', { key: 'grantUses', kind: 'number', what: 'most uses of one invite' }],
  ['invite-time', { key: 'grantMs', kind: 'duration', what: 'longest time that an invite is open' }],
  ['document-bytes', { key: 'documentBytes', kind: 'number', what: 'quota of all documents' }],
  ['two-operators', { key: 'twoOperators', kind: 'kinds', what: 'entries that two operators must order, or none' }],
  ['witnesses-needed', { key: 'witnesses', kind: 'number', what: 'witnesses that the head of the log needs' }],
  [
    'witness-grace',
    { key: 'witnessGraceMs', kind: 'duration', what: 'age up to which an admission counts without them' }
  ],
  ['publishing', { key: 'publishing', kind: ['named', 'registries', 'root'], what: 'who publishes documents' }],
  ['relaying', { key: 'relaying', kind: ['members', 'registries', 'nobody'], what: 'who relays for others' }]
])

const everybody = '*'
const rule = z.strictObject({
  from: z.string().default(everybody),
  to: z.string().default(everybody),
  service: z.string()
})
const listed = z.strictObject({
  rules: z.array(z.strictObject({ allow: rule })).default([]),
  tests: z.array(rule.extend({ service: z.string(), allowed: z.boolean().default(true) })).default([]),
  witnesses: z.array(z.string()).default([])
})

const wrong = (given: string, due: string): never => {
  throw new UsageError(`'${sanitise(given)}': ${due}`)
}

/** One value as it is written. @throws UsageError */
export function parseValue(word: string, text: string): Partial<PolicyValues> {
  const known = simpleKeys.get(word)
  if (known === undefined) {
    throw new UsageError(
      `'${sanitise(word)}' is no key of the policy: the keys are ${[...simpleKeys.keys()].join(', ')}; rules, tests and witnesses are changed by \`trustnet policy edit\`.`
    )
  }
  return { [known.key]: readAs(known.kind, text, `${word}: ${text}`) }
}

/** `revoke,operator` as the numbers of these kinds. */
function kindsOf(text: string, given: string): number[] {
  if (text === 'none') return []
  const words = Object.keys(orderedKinds)
  const numbers = text.split(/,\s*/).map((word) => (words.includes(word) ? (orderedKinds[word] ?? 0) : 0))
  if (numbers.includes(0)) wrong(given, `it is none, or some of ${words.join(', ')}, with commas between.`)
  return [...new Set(numbers)].toSorted((a, b) => a - b)
}

const wordsOf = (kinds: readonly unknown[]): string =>
  kinds
    .map((kind) => Object.entries(orderedKinds).find(([, each]) => each === kind)?.[0] ?? `kind-${String(kind)}`)
    .join(', ')

function readAs(kind: Kind, text: string, given: string): string | number | number[] {
  if (kind === 'kinds') return kindsOf(text, given)
  if (kind === 'duration') return parseDuration(text) ?? wrong(given, 'a duration like 30m, 12h or 7d is needed.')
  if (kind === 'number') {
    const isNumber = /^(0|[1-9]\d*)$/.test(text) && Number.isSafeInteger(Number(text))
    return isNumber ? Number(text) : wrong(given, 'a whole number is needed.')
  }
  return kind.includes(text) ? text : wrong(given, `it is one of ${kind.join(', ')}.`)
}

export const formatValue = (kind: Kind, value: unknown): string => {
  if (kind === 'kinds') return (Array.isArray(value) ? wordsOf(value) : '') || 'none'
  return kind === 'duration' ? formatDuration(Number(value)) : String(value)
}

/** The word and text of a value of the policy, also of those that only the text has. */
export function describeValue(key: string, value: unknown): { word: string; text: string } {
  for (const [word, known] of simpleKeys) if (known.key === key) return { word, text: formatValue(known.kind, value) }
  const word = key === 'witnessKeys' ? 'witnesses' : key
  return { word, text: Array.isArray(value) ? `${value.length}` : String(value) }
}

const head = `# The policy of the network. Save and close to see what changes; nothing is entered before you agree.
#
# rules: who may call what. Without rules every member may call every service of every other.
# The member that is called judges by them (trustnet expose, trustnet forward); what other programs listen on they do not close.
#   - allow: {from: GROUP, to: GROUP, service: NAME}     * stands for everybody, and for every service
# tests: what must come of the rules; a policy whose rules do not pass them is refused.
#   - {from: GROUP, to: GROUP, service: NAME, allowed: true}     * is a member of no group
# witnesses: PeerIds that cosign checkpoints, or verifier keys of witnesses outside; none: the secondaries. witnesses-needed says how many of them the head needs.
`

/** The policy as text to edit. */
export function policyText(policy: Policy): string {
  const simple = [...simpleKeys].map(
    ([word, { key, kind, what }]) =>
      `${word}: ${formatValue(kind, policy[key])}  # ${what}${typeof kind === 'string' ? '' : `: ${kind.join(', ')}`}`
  )
  const lists = {
    rules: policy.rules.map((allow) => ({ allow })),
    tests: policy.tests,
    witnesses: policy.witnessKeys
  }
  const flow = Object.entries(lists).map(([word, values]) => {
    const lines = values.map((value) => `\n  - ${stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim()}`)
    return `${word}:${lines.length === 0 ? ' []' : lines.join('')}`
  })
  return `${head}\n${simple.join('\n')}\n\n${flow.join('\n')}\n`
}

/** @throws UsageError */
function policyIn(text: string): unknown {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter, prettyErrors: false })
  const [error] = document.errors
  if (error !== undefined) {
    const { line } = lineCounter.linePos(error.pos[0])
    throw new UsageError(`The text is no YAML: line ${line}: ${sanitise(yamlFault(error))}`)
  }
  try {
    return document.toJS({ maxAliasCount: 0 })
  } catch (fault) {
    throw new UsageError(`The text is no policy: a value ${sanitise(yamlFault(fault))}`)
  }
}

/** All values of an edited text. @throws UsageError */
export function parsePolicyText(text: string): PolicyValues {
  const given = policyIn(text)
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new UsageError('The text has no keys: a policy is written as `key: value`, one a line.')
  }
  const values = new Map<string, unknown>(Object.entries(given))
  const lists = Object.fromEntries(
    ['rules', 'tests', 'witnesses'].flatMap((word) => {
      const value = values.get(word)
      values.delete(word)
      return value === undefined || value === null ? [] : [[word, value]]
    })
  )
  const parsed = listed.safeParse(lists)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new UsageError(`${issue?.path.join('.') ?? 'the text'}: ${sanitise(issue?.message ?? 'is wrong')}`)
  }
  const { rules, tests, witnesses } = parsed.data
  const simple = [...values].map(([word, value]) => parseValue(word, String(value)))
  return Object.assign({ rules: rules.map(({ allow }) => allow), tests, witnessKeys: witnesses }, ...simple)
}
