import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { OperatorsView, OperatorView, WaitingOrdersView } from '../../node/api/control-api.ts'
import { type RunningOptions, running, withAuthor, withRunning } from '../access/find-running.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { ExitError, exitCodes, UsageError } from '../output/exit.ts'
import { exampleOf } from '../output/help.ts'
import { peerText } from '../output/status-text.ts'
import type { Column } from '../output/table.ts'
import { age, sanitise } from '../output/text.ts'
import { warnOfLostKey } from './two-operators.ts'

const notes = `
Operators are people with a key of their own. Whatever a person changes is an
entry of the log that names the operator and carries the signature. On the
machine of the root its own key signs, operator.key in the data folder; from any
other machine the one that --as names, through whatever node runs there.

Examples:
  trustnet operator key ~/.trustnet/ann.key           on ann's machine
  trustnet operator add ann --key ann.key.pub         at the root
  trustnet --as ~/.trustnet/ann.key revoke hal        on ann's machine
  trustnet operator pending --as ~/.trustnet/ann.key  what waits for somebody
  trustnet operator approve 3fa2b1c09d8e              what needs two
  trustnet operator withdraw 3fa2b1c09d8e             I did not mean it`

type PlanOptions = RunningOptions & { plan?: boolean }

export const addOperator: AddCommand = (program, context) => {
  const operator = program.command('operator').description('the people who run the network').addHelpText('after', notes)
  withRunning(operator.command('list'))
    .description('operators, by name and key')
    .addHelpText('after', exampleOf('trustnet operator list'))
    .action((options: RunningOptions) => list(context, options))
  addChanges(operator, context)
  addWaiting(operator, context)
}

const addWaiting = (operator: Command, context: Context): void => {
  withAuthor(withRunning(operator.command('pending')))
    .description('acts that wait for a second operator, and joins that wait for one')
    .addHelpText('after', exampleOf('trustnet operator pending'))
    .action((options: RunningOptions) => pending(context, options))
  withAuthor(withRunning(operator.command('approve <id>')))
    .description('order what another operator has ordered')
    .addHelpText('after', exampleOf('trustnet operator approve 3fa2b1c09d8e --as ann.key'))
    .action(async (id: string, options: RunningOptions) => {
      const client = await running(context, options)
      const view = await client.approveOrder({ id }, { signal: context.signal })
      if (options.json === true) context.terminal.json(view)
      else context.terminal.print(`${sanitise(id)} is done: entry ${view.entry ?? '-'} of the log`)
    })
  withAuthor(withRunning(operator.command('withdraw <id>')))
    .description('take back what waits for a second operator')
    .option('--plan', 'say what would happen, and change nothing')
    .addHelpText('after', exampleOf('trustnet operator withdraw 3fa2b1c09d8e --plan'))
    .action(async (id: string, options: PlanOptions) => {
      const client = await running(context, options)
      const view = await client.withdrawOrder({ id, plan: options.plan }, { signal: context.signal })
      if (options.json === true) context.terminal.json(view)
      else context.terminal.print(`${sanitise(id)} ${sanitise(view.message)}`)
    })
}

const addChanges = (operator: Command, context: Context): void => {
  withAuthor(withRunning(operator.command('add <name>')))
    .description('enter an operator')
    .requiredOption('--key <file>', 'the public key, FILE.pub of `operator key`, or its text')
    .option('--plan', 'say what would happen, and change nothing')
    .addHelpText('after', exampleOf('trustnet operator add ann --key ann.key.pub'))
    .action(async (name: string, options: PlanOptions & { key: string }) => {
      const keyId = await publicKeyIn(options.key)
      const client = await running(context, options)
      const { plan } = options
      tell(context, await client.addOperator({ name, keyId, plan }, { signal: context.signal }), options)
    })
  withAuthor(withRunning(operator.command('remove <name>')))
    .description('remove an operator; what was ordered stays')
    .option('--plan', 'say what would happen, and change nothing')
    .addHelpText('after', exampleOf('trustnet operator remove ann --plan', 'trustnet operator remove ann'))
    .action(async (name: string, options: PlanOptions) => {
      const client = await running(context, options)
      const { signal } = context
      tell(context, await client.removeOperator({ name, plan: options.plan }, { signal }), options)
      if (options.plan === true) return
      const { policy } = await client.policy({}, { signal })
      await warnOfLostKey(context, client, policy.twoOperators)
    })
  operator
    .command('key <file>')
    .description('make a key, mode 0600, and FILE.pub beside it for `operator add`')
    .option('--passphrase', 'encrypt it: the passphrase is asked for, or read from TRUSTNET_OPERATOR_PASSPHRASE_FILE')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      exampleOf('trustnet operator key ~/.trustnet/ann.key', 'trustnet operator key --passphrase ~/.trustnet/ann.key')
    )
    .action((file: string, options: KeyOptions) => makeKey(context, resolve(file), options))
}

/** A public key is a line of 52 characters. */
const maxPublicBytes = 1024

const publicKeyIn = async (given: string): Promise<string> => {
  const { readText } = await import('../../runtime/files/read-file.ts')
  const text = existsSync(given) ? readText(given, maxPublicBytes).trim() : given
  if (/^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/.test(text)) return text
  throw new UsageError(
    `--key: ${sanitise(given)} is no public key of an operator: name the FILE.pub that \`trustnet operator key FILE\` made.`
  )
}

interface KeyOptions {
  json?: boolean
  passphrase?: boolean
}

const makeKey = async (context: Context, file: string, { json, passphrase }: KeyOptions): Promise<void> => {
  const { terminal } = context
  const [{ createKey }, { createSealedKey }, { peerIdText }] = await Promise.all([
    import('../../identity/key-file.ts'),
    import('../access/operator-key.ts'),
    import('../../identity/keys.ts')
  ])
  const publicFile = `${file}.pub`
  if (existsSync(publicFile))
    throw new ExitError(exitCodes.usage, `${publicFile} exists already: it is never overwritten.`)
  const key = passphrase === true ? createSealedKey(file, await newPassphrase(context)) : createKey(file)
  const keyId = peerIdText(key.publicKey)
  try {
    writeFileSync(publicFile, `${keyId}\n`, { flag: 'wx', mode: 0o644 })
  } catch (error) {
    // Nobody has heard of the key yet, and the next try would find it in its way.
    rmSync(file, { force: true })
    throw error
  }
  if (json === true) return terminal.json({ file, publicFile, keyId })
  terminal.print(`Key         ${file} (keep it on this machine)`)
  terminal.print(`Public key  ${publicFile}: ${keyId}`)
  terminal.print(`Next        an operator runs: trustnet operator add NAME --key ${publicFile}`)
}

/** Shorter ones are guessed, however slow each guess is. */
const minPassphraseChars = 12

/** A passphrase for a new key, typed twice on a terminal: one that was mistyped would lose the key. */
const newPassphrase = async (context: Context): Promise<string> => {
  const { readPassphrase } = await import('../access/passphrase.ts')
  const first = await readPassphrase(context, 'operatorPassphrase')
  if (first.length < minPassphraseChars)
    throw new UsageError(
      `A passphrase has ${minPassphraseChars} characters at least: it is what a thief of the file has to guess.`
    )
  if (context.terminal.stdin.isTTY !== true) return first
  context.terminal.progress('Once more.')
  if ((await readPassphrase(context, 'operatorPassphrase')) === first) return first
  throw new UsageError('The two differ: nothing was made.')
}

const tell = ({ terminal }: Context, view: OperatorView, { json }: RunningOptions): void => {
  if (json === true) terminal.json(view)
  else terminal.print(`${sanitise(view.name)} ${sanitise(view.keyId)}: ${sanitise(view.message)}`)
}

const columns: Column<OperatorsView['operators'][number]>[] = [
  { title: 'NAME', cell: ({ name }) => sanitise(name) },
  { title: 'KEY', cell: ({ keyId }) => sanitise(keyId) },
  { title: 'ENTRY', cell: ({ entry }) => entry.toString(), right: true }
]

const list = async (context: Context, options: RunningOptions): Promise<void> => {
  const client = await running(context, options)
  const view = await client.operators({}, { signal: context.signal })
  if (options.json === true) return context.terminal.json(view)
  context.terminal.table(columns, view.operators, {
    empty: 'There is no operator: whoever has the socket of the root decides.'
  })
}

type WaitingRow = WaitingOrdersView['waiting'][number]

const waitingColumns = (now: number): Column<WaitingRow>[] => [
  { title: 'ID', cell: ({ id }) => sanitise(id) || 'a join' },
  { title: 'ORDERED BY', cell: ({ by }) => sanitise(by.join(', ')) || '-' },
  { title: 'SINCE', cell: ({ sinceMs }) => `${age(Math.max(0, now - sinceMs))} ago` },
  { title: 'WHAT', cell: ({ acts }) => acts.map(({ kind }) => sanitise(kind)).join(', ') },
  { title: 'WHOM', cell: ({ acts }) => acts.map(({ subject }) => peerText(subject)).join(', ') },
  { title: 'DETAIL', cell: ({ acts }) => acts.map(({ detail }) => sanitise(detail)).join('; '), drop: 1 }
]

const pending = async (context: Context, options: RunningOptions): Promise<void> => {
  const client = await running(context, options)
  const view = await client.waitingOrders({}, { signal: context.signal })
  if (options.json === true) return context.terminal.json(view)
  context.terminal.table(waitingColumns(Date.now()), view.waiting, { empty: 'Nothing waits.' })
}
