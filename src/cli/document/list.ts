import type { Command } from 'commander'
import type { ControlApi, DocumentHistoryView, DocumentsView, Output } from '../../node/api/control-api.ts'
import { stampOf } from '../../node/api/stamp.ts'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import { changes } from '../output/changes.ts'
import type { Context } from '../output/context.ts'
import { exampleOf } from '../output/help.ts'
import { peerText } from '../output/status-text.ts'
import type { Column } from '../output/table.ts'
import { age, bytes, date, orUnknown, sanitise } from '../output/text.ts'

type Row = DocumentsView['documents'][number]
type HistoryRow = DocumentHistoryView['history'][number]

/** Age from which a view may be behind: a checkpoint comes every minute. */
const oldMs = 150_000

export const addList = (document: Command, context: Context): void => {
  withRunning(document.command('list'))
    .description('current documents')
    .option('--all', 'retired ones, too')
    .addHelpText('after', exampleOf('trustnet document list', 'trustnet document list --all --json'))
    .action((options: RunningOptions & { all?: boolean }) => list(context, options))
  withRunning(document.command('history <id>'))
    .description('versions of a document, and its end')
    .addHelpText('after', exampleOf('trustnet document history plan'))
    .action((id: string, options: RunningOptions) => history(context, id, options))
  withRunning(document.command('watch'))
    .description('tell what there is, and then what is published and retired, as it happens')
    .addHelpText('after', exampleOf('trustnet document watch', 'trustnet document watch --json'))
    .action((options: RunningOptions) => watch(context, options))
}

const columns: Column<Row>[] = [
  { title: 'ID', cell: ({ id }) => sanitise(id) },
  { title: 'VERSION', cell: ({ version }) => version.toString(), right: true },
  { title: 'TYPE', cell: ({ mediaType }) => sanitise(mediaType), drop: 3 },
  { title: 'SIZE', cell: ({ sizeBytes }) => bytes(sizeBytes), right: true, drop: 1 },
  { title: 'PUBLISHER', cell: ({ publisher }) => peerText(publisher), drop: 2 },
  { title: 'PUBLISHED', cell: ({ publishedMs }) => date(publishedMs) },
  { title: 'STATE', cell: (row) => stateOf(row) }
]

const stateOf = ({ retired, held }: Row): string => {
  if (retired !== null) return retired.reason === '' ? 'retired' : `retired: ${sanitise(retired.reason)}`
  return held ? 'here' : 'being fetched'
}

const list = async (context: Context, options: RunningOptions & { all?: boolean }): Promise<void> => {
  const { terminal, signal } = context
  const client = await running(context, options)
  const view = await client.documents({}, { signal })
  const documents = view.documents.filter(({ retired }) => options.all === true || retired === null)
  if (options.json === true) return terminal.json({ ...view, documents })
  terminal.table(columns, documents, { empty: 'There is no document: trustnet document publish FILE --id ID' })
  for (const { id, version, publisher, sinceMs } of view.waiting) {
    terminal.progress(
      `Version ${version} of ${sanitise(id)} by ${peerText(publisher)} waits here for the root, since ${date(sinceMs)}.`
    )
  }
  tellAge(context, view)
}

export const tellAge = (
  { terminal }: Context,
  { view }: Output<'document' | 'documents' | 'documentHistory'>
): void => {
  if (view.ageMs !== null && view.ageMs < oldMs) return
  const since = view.ageMs === null ? 'nothing of the network was verified yet' : `as of ${age(view.ageMs)} ago`
  terminal.progress(`This node hears of nothing newer: ${since}.`)
}

const historyColumns: Column<HistoryRow>[] = [
  { title: 'VERSION', cell: ({ version }) => version.toString(), right: true },
  { title: 'WHAT', cell: ({ kind }) => (kind === 'publish' ? 'published' : 'retired') },
  { title: 'WHEN', cell: ({ atMs }) => date(atMs) },
  { title: 'BY', cell: ({ published }) => peerText(published?.publisher ?? null) },
  { title: 'SIZE', cell: ({ published }) => bytes(published?.sizeBytes ?? null), right: true, drop: 1 },
  { title: 'SHA-256', cell: ({ published }) => orUnknown(published?.digest.slice(0, 16)), drop: 2 },
  { title: 'ENTRY', cell: ({ entry }) => entry.toString(), right: true },
  { title: 'DETAIL', cell: ({ published, reason }) => detailOf(published, reason) }
]

const detailOf = (published: HistoryRow['published'], reason: string | null): string => {
  if (published === null) return orUnknown(reason)
  return published.held ? 'kept here' : 'not kept here'
}

const history = async (context: Context, id: string, options: RunningOptions): Promise<void> => {
  const client = await running(context, options)
  const view = await client.documentHistory({ id }, { signal: context.signal })
  if (options.json === true) return context.terminal.json(view)
  context.terminal.table(historyColumns, view.history, { empty: 'The log has forgotten it.' })
  tellAge(context, view)
}

const watch = async (context: Context, options: RunningOptions): Promise<void> => {
  const { terminal, signal } = context
  const client = await running(context, options)
  let known = new Map<string, string>()
  for await (const view of views(client, signal)) {
    for (const row of view.documents) {
      if (known.get(row.id) === markOf(row)) continue
      const change = row.retired === null ? 'published' : 'retired'
      if (options.json === true) terminal.jsonLine({ ...stampOf(view), change, document: row })
      else terminal.print(`${date(row.retired?.retiredMs ?? row.publishedMs)}  ${sanitise(row.id)}  ${textOf(row)}`)
    }
    known = marksOf(view)
  }
}

async function* views(client: ControlApi, signal: AbortSignal): AsyncGenerator<Output<'documents'>> {
  for await (const _ of changes(client, { signal, everyMs: undefined })) yield await client.documents({}, { signal })
}

const markOf = ({ entry, retired }: Row): string => `${entry} ${retired?.entry ?? ''}`
const marksOf = ({ documents }: DocumentsView): Map<string, string> =>
  new Map(documents.map((row) => [row.id, markOf(row)]))

const textOf = (row: Row): string =>
  row.retired === null
    ? `version ${row.version} by ${peerText(row.publisher)}, ${bytes(row.sizeBytes)}`
    : `retired: ${sanitise(row.retired.reason)}`
