import { anyAddress, hostAddress } from '../../address/spelling.ts'
import { createProvider } from '../../dns/providers/index.ts'
import { type Applied, edited, type RecordEdit } from '../../dns/providers/provider.ts'
import { waitUntilPublished } from '../../dns/published.ts'
import { tnrName } from '../../dns/tnr.ts'
import { providerSettings } from '../../node/config/dns-provider.ts'
import { answering, running } from '../access/find-running.ts'
import type { Context } from '../output/context.ts'
import { ExitError, exitCodes, UsageError } from '../output/exit.ts'
import { breakable } from '../output/interrupt.ts'
import { domainOf, factsNow } from './facts.ts'
import type { SetOptions } from './options.ts'
import { editLines, instructionLines } from './text.ts'

/** Carries an edit out and waits until every name server of the zone has it. */
export const set = async (context: Context, options: SetOptions): Promise<void> => {
  const { terminal, signal } = context
  const provider = await createProvider(providerSettings(options, terminal.env))
  const { domain, resolvers, edit } = await editFor(context, options)
  const progress = (message: string): void => terminal.progress(message)
  const asked = { domain, name: edit.name, provider: provider.name }
  const view = { ...asked, edit: { ttlSeconds: edit.ttlSeconds, add: edit.add, remove: edit.remove } }
  if (options.plan === true || edit.add.length + edit.remove.length === 0) {
    const message = options.plan === true ? 'nothing was changed (--plan)' : 'nothing is to be changed'
    if (options.json === true)
      return terminal.json({ ...view, state: 'planned', values: null, instructions: null, message })
    for (const line of editLines(edit)) terminal.print(line)
    return terminal.print(`${edit.name}: ${message}`)
  }
  terminal.progress(`writing to ${await provider.prepare(edit.name, { signal })}`)
  const applied = await provider.change(edit, { signal, progress })
  const state = applied.kind === 'by-hand' ? 'by-hand' : await published(context, edit, options, resolvers)
  const message = messages[state]
  if (options.json === true) terminal.json({ ...view, state, ...resultOf(applied), message })
  else print(context, edit, applied, message)
  if (state === 'late') context.exit(exitCodes.timeout)
}

const messages = {
  'by-hand': 'to be entered by hand',
  published: 'every name server of the zone has it',
  written: 'written; the name servers were not asked (--no-wait)',
  late: 'written, but not every name server has it yet: trustnet dns check tells when'
}

const resultOf = (applied: Applied): object =>
  applied.kind === 'by-hand'
    ? { values: null, instructions: applied.instructions }
    : { values: applied.values, instructions: null }

const published = async (
  context: Context,
  edit: RecordEdit,
  { wait, ask }: SetOptions,
  servers: readonly string[]
): Promise<'published' | 'written' | 'late'> => {
  const { terminal, signal } = context
  if (wait === false) return 'written'
  const progress = (message: string): void => terminal.progress(message)
  const waiting = waitUntilPublished(edit, { withinMs: wait, authorities: ask, servers, signal, progress })
  const left = 'the record is written; trustnet dns check tells when every name server has it'
  const result = await breakable(signal, waiting, left)
  return result.published ? 'published' : 'late'
}

const print = ({ terminal }: Context, edit: RecordEdit, applied: Applied, message: string): void => {
  if (applied.kind === 'by-hand') {
    for (const line of instructionLines(applied.instructions, terminal.paint)) terminal.print(line)
    return
  }
  for (const line of editLines(edit)) terminal.print(line)
  terminal.print(`${edit.name}: ${applied.changed ? message : 'was so already'}`)
}

interface Wanted {
  readonly domain: string
  readonly resolvers: readonly string[]
  readonly edit: RecordEdit
}

/** Edit that was asked for, or that the comparison says. */
const editFor = async (context: Context, options: SetOptions): Promise<Wanted> => {
  const explicit = options.add !== undefined || options.remove !== undefined
  if (explicit && options.prune === true)
    throw new UsageError('--prune goes with the comparison, not with --add and --remove.')
  if (!explicit) return compared(context, options)
  const client = await answering(context, options)
  const domain = await domainOf(context, options, client)
  const status = await client?.status({}, { signal: context.signal })
  const add = [...new Set(options.add?.map(hostAddress))]
  const remove = [...new Set(options.remove?.map(anyAddress))]
  const both = add.find((address) => remove.includes(address))
  if (both !== undefined) throw new UsageError(`${both} is to be added and removed: say one of the two.`)
  const edit = {
    name: tnrName(domain),
    type: 'AAAA' as const,
    ttlSeconds: options.ttl,
    add,
    remove
  }
  return { domain, resolvers: status?.dns.resolvers ?? [], edit }
}

const compared = async (context: Context, options: SetOptions): Promise<Wanted> => {
  const { domain, resolvers, comparison } = await factsNow(context, await running(context, options), options)
  const strays = comparison.rows.filter(({ verdict }) => verdict === 'stray').map(({ value }) => value)
  const remove = [...comparison.edit.remove, ...(options.prune === true ? strays : [])]
  const edit = { ...comparison.edit, ttlSeconds: options.ttl, remove }
  const left = edited(
    comparison.rows.filter((row) => row.published !== 'none').map(({ value }) => value),
    edit
  )
  if (left.length === 0 && remove.length > 0) {
    throw new ExitError(
      exitCodes.refused,
      `That would remove every address of ${edit.name} and no registry that is alive has one to put there.`
    )
  }
  return { domain, resolvers, edit }
}
