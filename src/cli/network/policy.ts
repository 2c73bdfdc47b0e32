import type { PolicyChanges, PolicyView } from '../../node/api/control-api.ts'
import { orderedKinds } from '../../node/api/words.ts'
import { formatDuration, parseDuration } from '../../node/config/durations.ts'
import { type RunningOptions, running, withAuthor, withRunning } from '../access/find-running.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { UsageError } from '../output/exit.ts'
import { sanitise } from '../output/text.ts'

type Kind = 'admission' | 'duration' | 'number' | 'kinds'
type Key = Exclude<
  keyof PolicyView['policy'],
  'witnesses' | 'criticalKinds' | 'rules' | 'tests' | 'publishing' | 'relaying' | 'witnessKeys'
>

/** The words of the command line, in the order in which they are shown. */
const keys: ReadonlyMap<string, { key: Key; kind: Kind; what: string }> = new Map([
  ['admission', { key: 'admission', kind: 'admission', what: 'who is let in: invite, approve or open' }],
  ['membership', { key: 'membershipMs', kind: 'duration', what: 'how long an admission or renewal lasts' }],
  ['return-grace', { key: 'returnGraceMs', kind: 'duration', what: 'how long after its end it may still be renewed' }],
  ['name-hold', { key: 'nameHoldMs', kind: 'duration', what: 'how long the name of a revoked member is held' }],
  ['open-invites', { key: 'openGrants', kind: 'number', what: 'invites that may be open at once' }],
  ['invite-uses', { key: 'grantUses', kind: 'number', what: 'most uses of one invite' }],
  ['invite-time', { key: 'grantMs', kind: 'duration', what: 'longest time that an invite is open' }],
  ['document-bytes', { key: 'documentBytes', kind: 'number', what: 'quota of all documents' }],
  ['two-operators', { key: 'twoOperators', kind: 'kinds', what: 'entries that two operators must order, or none' }]
])

const examples = `
The policy is an entry of the signed log: every node knows it, and it acts at
once. Memberships that were given keep their end.

Keys:
${[...keys].map(([word, { what }]) => `  ${word.padEnd(15)} ${what}`).join('\n')}

Examples:
  trustnet policy show
  trustnet policy set admission=approve
  trustnet policy set membership=30d name-hold=7d
  trustnet policy set two-operators=revoke,operator`

export const addPolicy: AddCommand = (program, context) => {
  const policy = program.command('policy').description('the rules of the network').addHelpText('after', examples)
  withRunning(policy.command('show'))
    .description('what counts now')
    .addHelpText('after', '\nExamples:\n  trustnet policy show')
    .action(async (options: RunningOptions) => {
      const client = await running(context, options)
      show(context, await client.policy({}, { signal: context.signal }), options)
    })
  withAuthor(withRunning(policy.command('set <key=value...>')))
    .description('change some of it, at the root')
    .option('--force', 'also a policy that locks everybody out')
    .addHelpText('after', '\nExamples:\n  trustnet policy set admission=approve\n  trustnet policy set membership=30d')
    .action(async (given: string[], options: RunningOptions & { force?: boolean }) => {
      const { force } = options
      const changes = changesOf(given)
      const client = await running(context, options)
      show(context, await client.setPolicy({ ...changes, force }, { signal: context.signal }), options)
    })
}

const changesOf = (given: readonly string[]): PolicyChanges =>
  Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=')
      const known = keys.get(text.slice(0, Math.max(at, 0)))
      if (known === undefined) {
        throw new UsageError(
          `'${sanitise(text)}' is no KEY=VALUE of the policy: the keys are ${[...keys.keys()].join(', ')}.`
        )
      }
      return [known.key, parsed(known.kind, text.slice(at + 1), text)]
    })
  )

/** `revoke,operator` as the numbers of these kinds. */
const kindsOf = (value: string): number[] => {
  if (value === 'none') return []
  const words = Object.keys(orderedKinds)
  const numbers = value.split(',').map((word) => (words.includes(word) ? (orderedKinds[word] ?? 0) : 0))
  if (!numbers.includes(0)) return [...new Set(numbers)].toSorted((a, b) => a - b)
  throw new UsageError(`two-operators is none, or some of ${words.join(', ')}, with commas between.`)
}

const wordsOf = (kinds: readonly number[]): string =>
  kinds.map((kind) => Object.entries(orderedKinds).find(([, each]) => each === kind)?.[0] ?? `kind-${kind}`).join(', ')

const shown = (kind: Kind, value: PolicyView['policy'][Key]): string => {
  if (typeof value === 'object') return wordsOf(value) || 'none'
  return kind === 'duration' ? formatDuration(Number(value)) : value.toString()
}

const parsed = (kind: Kind, value: string, text: string): string | number | number[] => {
  if (kind === 'kinds') return kindsOf(value)
  if (kind === 'admission') {
    if (value === 'invite' || value === 'approve' || value === 'open') return value
    throw new UsageError(`'${sanitise(text)}': admission is invite, approve or open.`)
  }
  const number = kind === 'duration' ? parseDuration(value) : /^\d+$/.test(value) ? Number(value) : undefined
  if (number !== undefined) return number
  throw new UsageError(
    `'${sanitise(text)}': ${kind === 'duration' ? 'a duration like 30m, 12h or 7d' : 'a whole number'} is needed.`
  )
}

const show = ({ terminal }: Context, view: PolicyView, options: RunningOptions): void => {
  if (options.json === true) {
    terminal.json(view)
    return
  }
  const from = view.entry === 0 ? 'as the network was made with' : `of entry ${view.entry}`
  terminal.print(`Policy ${from}`)
  for (const [word, { key, kind }] of keys) {
    terminal.print(`${word.padEnd(15)} ${shown(kind, view.policy[key])}`)
  }
}
