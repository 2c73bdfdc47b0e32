import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:fs'
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ControlApi, PolicyPreview } from '../../node/api/control-api.ts'
import { onAbort } from '../../runtime/abort.ts'
import { cleanEnvironment } from '../../runtime/clean-environment.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { readText } from '../../runtime/files/read-file.ts'
import type { Context } from '../output/context.ts'
import { ExitError, exitCodes, UsageError } from '../output/exit.ts'
import { BrokenOffError, brokenOff, isOfSignal, signalOf } from '../output/interrupt.ts'
import { plural, sanitise } from '../output/text.ts'
import { describeValue, parsePolicyText, policyText } from './policy-values.ts'
import { warnOfLostKey } from './two-operators.ts'

/** Length that no policy has as text. */
export const maxPolicyBytes = 262_144
const shownCalls = 20
/** Variables by which editors know their terminal and their own settings. */
const ofEditors = ['EDITOR', 'VISUAL', 'COLORTERM', 'XDG_CONFIG_HOME', 'XDG_RUNTIME_DIR', 'DISPLAY', 'WAYLAND_DISPLAY']

export interface EditOptions {
  yes?: boolean
  force?: boolean
}

/** Lets the operator edit the policy as text, shows what changes for whom, asks, and enters it. Gives undefined where nothing was changed. */
export async function editPolicy(
  context: Context,
  client: ControlApi,
  options: EditOptions
): Promise<Awaited<ReturnType<ControlApi['setPolicy']>> | undefined> {
  const { terminal, signal } = context
  if (options.yes !== true && !canAsk(context)) {
    throw new UsageError('There is no terminal to ask on: add --yes to enter the text as the editor leaves it.')
  }
  const view = await client.policy({}, { signal })
  const before = policyText(view.policy)
  await using folder = await editFolder()
  const file = join(folder.path, 'policy.yaml')
  await writeFile(file, before, { mode: 0o600 })
  await edited(context, file, before)
  try {
    const text = readText(file, maxPolicyBytes)
    if (text !== before) return await enter(context, client, options, { text, seen: view.entry })
    terminal.progress('Nothing was changed.')
    return undefined
  } catch (error) {
    throw await keeping(context, file, error)
  }
}

async function enter(
  context: Context,
  client: ControlApi,
  { yes, force }: EditOptions,
  { text, seen }: { text: string; seen: number }
): ReturnType<ControlApi['setPolicy']> {
  const { terminal, signal } = context
  const values = parsePolicyText(text)
  const preview = await client.previewPolicy(values, { signal })
  for (const line of previewLines(preview)) terminal.progress(line)
  await warnOfLostKey(context, client, values.twoOperators)
  if (preview.refusal !== null) throw new ExitError(exitCodes.refused, sanitise(preview.refusal))
  if (preview.lockOut !== null && force !== true) {
    throw new ExitError(exitCodes.refused, `${sanitise(preview.lockOut)}; to have it so all the same, add --force`)
  }
  if (yes !== true && !(await agrees(context))) throw new ExitError(exitCodes.refused, 'Nothing was changed.')
  return await client.setPolicy({ ...values, seen, force }, { signal })
}

/** The same error, which says where the text is kept; that of a signal or of Ctrl-C at the question says how things are, too. */
async function keeping({ signal }: Context, file: string, error: unknown): Promise<Error> {
  const kept = await keptCopy(file)
  const left = brokenOff(error) ?? (isOfSignal(error, signal) ? unknownText : undefined)
  if (left !== undefined) return new BrokenOffError(`${left}; your text is kept in ${kept}`, { cause: error })
  const message = `${reasonOf(error)}\nYour text is kept in ${kept}.`
  if (error instanceof ExitError) return new ExitError(error.code, message)
  return Object.assign(error instanceof Error ? error : new Error(message), { message })
}

const unknownText = 'whether the policy was entered `trustnet policy show` says'

/** A copy of what the operator wrote, which outlives this command: never through a link that somebody else has put there. */
async function keptCopy(file: string): Promise<string> {
  const kept = join(tmpdir(), `trustnet-policy-${process.pid}-${Date.now()}.yaml`)
  await copyFile(file, kept, constants.COPYFILE_EXCL)
  return kept
}

/** Lets the operator edit the file. What was saved until a signal came is kept. @throws BrokenOffError, and as runEditor */
async function edited(context: Context, file: string, before: string): Promise<void> {
  try {
    await runEditor(context, file)
  } catch (error) {
    if (!isOfSignal(error, context.signal)) throw error
    const isSaved = readText(file, maxPolicyBytes) !== before
    const left = isSaved ? `nothing was changed; your text is kept in ${await keptCopy(file)}` : 'nothing was changed'
    throw new BrokenOffError(left, { cause: error })
  }
}

const canAsk = ({ terminal }: Context): boolean => terminal.stdin.isTTY === true && terminal.stderr.isTTY === true

async function agrees(context: Context): Promise<boolean> {
  const { default: confirm } = await import('@inquirer/confirm')
  const where = { input: process.stdin, output: process.stderr, signal: context.signal }
  return await confirm({ message: 'Enter this policy into the log?', default: false }, where)
}

async function editFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'trustnet-edit-'))
  return { path, [Symbol.asyncDispose]: async () => await rm(path, { recursive: true, force: true }) }
}

/** @throws UsageError when the editor cannot be started, or fails */
async function runEditor({ terminal, signal }: Context, file: string): Promise<void> {
  const named = terminal.env['VISUAL'] || terminal.env['EDITOR']
  if (!named && terminal.stdin.isTTY !== true) {
    throw new UsageError('There is no terminal for an editor: name a program that changes a file in $EDITOR.')
  }
  const editor = named || 'vi'
  const env = cleanEnvironment({}, { also: ofEditors })
  signal.throwIfAborted()
  const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'editor', file], { stdio: 'inherit', env })
  // An editor puts the terminal right before it ends: it is waited for.
  using _ = onAbort(signal, () => {
    child.kill(signalOf(signal) === 'SIGHUP' ? 'SIGHUP' : 'SIGTERM')
  })
  const [code]: unknown[] = await once(child, 'exit')
  signal.throwIfAborted()
  if (code === 0) return
  throw new UsageError(`The editor (${sanitise(editor)}) ended with ${String(code)}: nothing was changed.`)
}

/** Lines that say what a change does. */
export function previewLines({ values, calls, moreCalls }: PolicyPreview): string[] {
  const simple = values.map(({ key, before, after }) => {
    const { word, text } = describeValue(key, after)
    return `  ${word.padEnd(15)} ${describeValue(key, before).text} → ${text}`
  })
  const called = calls.slice(0, shownCalls).map(({ from, to, service, allowed }) => {
    const what = service === '*' ? 'any other service' : sanitise(service)
    return `  ${peopleOf(from)} ${allowed ? 'may call' : 'may no more call'} ${what} at ${peopleOf(to)}`
  })
  const left = Math.max(0, calls.length - shownCalls) + moreCalls
  return [
    ...(simple.length === 0 ? ['No value changes.'] : ['Changes:', ...simple]),
    ...(called.length === 0 ? [] : ['Who may call what:', ...called]),
    ...(left === 0 ? [] : [`  and ${plural(left, 'more change')} of that kind`])
  ]
}

const peopleOf = ({ groups, members, names }: PolicyPreview['calls'][number]['from']): string => {
  const some = names.map(sanitise).join(', ')
  const more = members > names.length ? ` and ${members - names.length} more` : ''
  return `${groups.length === 0 ? 'members of no group' : groups.map(sanitise).join('+')} (${some}${more})`
}
