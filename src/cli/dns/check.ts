import { setTimeout as sleep } from 'node:timers/promises'
import { agreement } from '../../dns/published.ts'
import { running } from '../access/find-running.ts'
import type { Context } from '../output/context.ts'
import { exitCodes } from '../output/exit.ts'
import { type Facts, factsNow } from './facts.ts'
import type { CheckOptions } from './options.ts'
import { columns, editLines, needsEdit, serverLine, verdictLine } from './text.ts'

/** Compares once, or again and again; a view that is as the one before is not shown again. */
export const check = async (context: Context, options: CheckOptions): Promise<void> => {
  const client = await running(context, options)
  const { signal } = context
  let shown = ''
  do {
    const facts = await factsNow(context, client, options)
    const view = checkView(facts)
    const text = JSON.stringify(view)
    if (text !== shown) print(context, facts, view, options)
    shown = text
    if (options.watch !== true) {
      if (needsEdit(facts.comparison)) context.exit(exitCodes.degraded)
      return
    }
    await sleep(options.every, undefined, { signal }).catch(() => undefined)
  } while (!signal.aborted)
}

const print = (context: Context, facts: Facts, view: object, options: CheckOptions): void => {
  const { terminal } = context
  if (options.json === true) {
    if (options.watch === true) terminal.jsonLine(view)
    else terminal.json(view)
    return
  }
  const { comparison, published } = facts
  terminal.print(verdictLine(comparison.edit.name, comparison, terminal.paint))
  terminal.print(terminal.paint('dim', serverLine(published)))
  terminal.table(columns(terminal.paint), comparison.rows, { empty: 'Nothing is published.' })
  for (const note of comparison.notes) terminal.print(`note: ${note}`)
  if (!needsEdit(comparison)) return
  terminal.print('edit:')
  for (const line of editLines(comparison.edit)) terminal.print(line)
  terminal.print('carry it out with: trustnet dns set --provider NAME (manual tells the steps)')
}

/** The answer of `dns check --json`. */
const checkView = ({ domain, published, comparison }: Facts): object => {
  const { edit, rows, notes } = comparison
  return {
    domain,
    name: edit.name,
    zone: published.zone ?? null,
    fits: !needsEdit(comparison),
    published: agreement(published).values,
    servers: published.servers.map(({ server, address, values, ttlSeconds, failure }) => ({
      server,
      address: address ?? null,
      values,
      ttlSeconds: ttlSeconds ?? null,
      error: failure?.message ?? null
    })),
    rows: rows.map(({ value, published: at, registry, verdict, why }) => ({
      value,
      published: at,
      peerId: registry?.peerId ?? null,
      name: registry?.name ?? null,
      state: registry?.state ?? null,
      verdict,
      why
    })),
    edit: { ttlSeconds: edit.ttlSeconds, add: edit.add, remove: edit.remove },
    notes
  }
}
