import type { PolicyValues, PolicyView } from '../../node/api/control-api.ts'
import { readText } from '../../runtime/files/read-file.ts'
import { type RunningOptions, running, withAuthor, withRunning } from '../access/find-running.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { ExitError, exitCodes, UsageError } from '../output/exit.ts'
import { orUnknown, sanitise } from '../output/text.ts'
import { serviceName } from '../service/service-name.ts'
import { editPolicy, maxPolicyBytes, previewLines } from './policy-edit.ts'
import { formatValue, parsePolicyText, parseValue, simpleKeys } from './policy-values.ts'
import { warnOfLostKey } from './two-operators.ts'

const examples = `
The policy is an entry of the signed log: every node knows it, and it acts at
once. Memberships that were given keep their end.

Keys:
${[...simpleKeys].map(([word, { what, kind }]) => `  ${word.padEnd(15)} ${what}${typeof kind === 'string' ? '' : `: ${kind.join(', ')}`}`).join('\n')}

Examples:
  trustnet policy show
  trustnet policy set membership=30d name-hold=7d
  trustnet policy set two-operators=revoke,operator
  trustnet policy edit
  trustnet policy test web-1 db-1 postgres`

type SetOptions = RunningOptions & { force?: boolean; plan?: boolean }
type TestOptions = RunningOptions & { file?: string }
type EditOptions = RunningOptions & { force?: boolean; yes?: boolean }

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
    .option('--force', 'also a policy that locks members out')
    .option('--plan', 'show what would change, and change nothing')
    .addHelpText(
      'after',
      '\nExamples:\n  trustnet policy set admission=approve\n  trustnet policy set membership=30d --plan'
    )
    .action((given: string[], options: SetOptions) => set(context, valuesOf(given), options))
  withRunning(policy.command('test [from] [to] [service]'))
    .description('ask whether a member may call a service at another, or what a text would change')
    .option('--file <file>', 'a policy as `policy edit` shows it: its tests are asked, nothing is changed')
    .addHelpText(
      'after',
      '\nExamples:\n  trustnet policy test web-1 db-1 postgres\n  trustnet policy test --file policy.yaml'
    )
    .action((from: string | undefined, to: string | undefined, service: string | undefined, options: TestOptions) =>
      test(context, [from, to, service], options)
    )
  withAuthor(withRunning(policy.command('edit')).option('--yes', 'enter it without asking'))
    .description('change it in an editor ($VISUAL, $EDITOR), at the root: rules and tests, too')
    .option('--force', 'also a policy that locks members out')
    .addHelpText('after', '\nExamples:\n  trustnet policy edit\n  EDITOR=nano trustnet policy edit')
    .action((options: EditOptions) => edit(context, options))
}

const valuesOf = (given: readonly string[]): PolicyValues =>
  Object.assign(
    {},
    ...given.map((text) => {
      const at = text.indexOf('=')
      if (at < 1) throw new UsageError(`'${sanitise(text)}' is no KEY=VALUE: write membership=30d, for example.`)
      return parseValue(text.slice(0, at), text.slice(at + 1))
    })
  )

const set = async (context: Context, values: PolicyValues, options: SetOptions): Promise<void> => {
  const { signal } = context
  const client = await running(context, options)
  if (options.plan === true) return await preview(context, values, options)
  // The entry that was seen when the command began: a change by somebody else in between is not overwritten.
  const { entry } = await client.policy({}, { signal })
  const change = { ...values, seen: entry, force: options.force }
  show(context, await client.setPolicy(change, { signal }), options)
  await warnOfLostKey(context, client, values.twoOperators)
}

const preview = async (context: Context, values: PolicyValues, options: RunningOptions): Promise<void> => {
  const { terminal, signal } = context
  const client = await running(context, options)
  const view = await client.previewPolicy(values, { signal })
  if (options.json === true) terminal.json(view)
  else for (const line of previewLines(view)) terminal.print(line)
  await warnOfLostKey(context, client, values.twoOperators)
  if (view.refusal !== null) throw new ExitError(exitCodes.refused, sanitise(view.refusal))
  if (view.lockOut !== null) throw new ExitError(exitCodes.refused, `${sanitise(view.lockOut)}: it would need --force`)
}

const test = async (
  context: Context,
  [from, to, service]: readonly (string | undefined)[],
  options: TestOptions
): Promise<void> => {
  if (options.file !== undefined && from === undefined) {
    return await preview(context, parsePolicyText(readText(options.file, maxPolicyBytes)), options)
  }
  if (from === undefined || to === undefined || service === undefined || options.file !== undefined) {
    throw new UsageError('Give FROM, TO and SERVICE, or --file FILE with a text of the policy.')
  }
  const { terminal, signal } = context
  const client = await running(context, options)
  const view = await client.policyCall({ from, to, service: serviceName(service) }, { signal })
  const { allowed, rule } = view
  if (options.json === true) terminal.json(view)
  else {
    const why =
      rule === null
        ? allowed
          ? 'there are no rules'
          : 'no rule allows it'
        : `${rule.from} → ${rule.to}: ${rule.service}`
    const names = [view.from.name, view.to.name].map(orUnknown)
    terminal.print(
      `${names[0]} ${allowed ? 'may' : 'may not'} call ${sanitise(service)} at ${names[1]}: ${sanitise(why)}`
    )
  }
  if (!allowed) context.exit(exitCodes.refused)
}

const edit = async (context: Context, options: EditOptions): Promise<void> => {
  const client = await running(context, options)
  const view = await editPolicy(context, client, options)
  if (view !== undefined) show(context, view, options)
}

const show = ({ terminal }: Context, view: PolicyView, options: RunningOptions): void => {
  if (options.json === true) {
    terminal.json(view)
    return
  }
  const { policy } = view
  terminal.print(`Policy ${view.entry === 0 ? 'as the network was made with' : `of entry ${view.entry}`}`)
  for (const [word, { key, kind }] of simpleKeys) terminal.print(`${word.padEnd(15)} ${formatValue(kind, policy[key])}`)
  terminal.print(
    `${'rules'.padEnd(15)} ${policy.rules.length === 0 ? 'none: every member may call every service' : ''}`.trimEnd()
  )
  for (const { from, to, service } of policy.rules) terminal.print(`  ${from} → ${to}: ${service}`)
  if (policy.tests.length > 0) terminal.print('tests')
  for (const { from, to, service, allowed } of policy.tests) {
    terminal.print(`  ${from} ${allowed ? 'may' : 'may not'} call ${service} at ${to}`)
  }
  for (const peerId of policy.witnessKeys) terminal.print(`${'witness'.padEnd(15)} ${peerId}`)
}
