import type { Command } from 'commander'
import type { StoreRow } from '../../node/api/control-api.ts'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import type { Context } from '../output/context.ts'
import { exampleOf } from '../output/help.ts'
import { peerText } from '../output/status-text.ts'
import type { Column } from '../output/table.ts'
import { bytes, date, orUnknown, plural, sanitise, sanitiseWhole } from '../output/text.ts'

export const addList = (store: Command, context: Context): void => {
  withRunning(store.command('list'))
    .description('stores that members share')
    .addHelpText('after', exampleOf('trustnet store list', 'trustnet store list --json'))
    .action((options: RunningOptions) => list(context, options))
  withRunning(store.command('status'))
    .description('stores that this node shares, follows or keeps, and how far they are')
    .addHelpText('after', exampleOf('trustnet store status'))
    .action((options: RunningOptions) => status(context, options))
  withRunning(store.command('show <name>'))
    .description('what is known of a store')
    .option('--cid', 'print its CID alone, as `ipfs add --cid-version 1 -r -H` makes it')
    .addHelpText('after', exampleOf('trustnet store show music', 'trustnet store show alice/music --cid'))
    .action((name: string, options: RunningOptions & { cid?: boolean }) => show(context, name, options))
}

const columns: Column<StoreRow>[] = [
  { title: 'STORE', cell: ({ name }) => sanitise(name) },
  { title: 'OWNER', cell: ({ owner }) => peerText(owner) },
  { title: 'VERSION', cell: ({ seq }) => orUnknown(seq?.toString()), right: true },
  { title: 'FILES', cell: ({ files }) => orUnknown(files?.toString()), right: true, drop: 2 },
  { title: 'SIZE', cell: ({ sizeBytes }) => bytes(sizeBytes), right: true },
  { title: 'SIGNED', cell: ({ issuedMs }) => date(issuedMs), drop: 3 },
  { title: 'HOLDERS', cell: ({ holders }) => holders.toString(), right: true, drop: 1 },
  { title: 'STATE', cell: (row) => stateText(row) }
]

const words: ReadonlyMap<string, string> = new Map<StoreRow['state'], string>([
  ['reading', 'being read'],
  ['shared', 'shared from here'],
  ['offered', 'offered'],
  ['waiting', 'waits'],
  ['fetching', 'comes'],
  ['writing', 'being written'],
  ['complete', 'here'],
  ['refused', 'refused']
])

const stateText = ({ state, trouble, pinned, arrivedBytes, sizeBytes }: StoreRow): string => {
  if (state === 'reading' && trouble !== null) return 'cannot be read'
  const far = state === 'fetching' ? ` (${bytes(arrivedBytes)} of ${bytes(sizeBytes)})` : ''
  return `${words.get(state) ?? sanitise(state)}${far}${pinned ? ', pinned' : ''}`
}

const list = async (context: Context, options: RunningOptions): Promise<void> => {
  const { terminal, signal } = context
  const client = await running(context, options)
  const view = await client.stores({ look: true }, { signal })
  if (options.json === true) return terminal.json(view)
  terminal.table(columns, view.stores, { empty: 'No member shares a store: trustnet store add FOLDER' })
  if (view.unknown > 0)
    terminal.progress(
      `Of ${plural(view.unknown, 'more store')} nobody who can be reached now says what it is: ${view.silent.map(peerText).join(', ')}.`
    )
  tellTroubles(context, view.stores)
}

const status = async (context: Context, options: RunningOptions): Promise<void> => {
  const { terminal, signal } = context
  const client = await running(context, options)
  const view = await client.stores({}, { signal })
  const stores = view.stores.filter(({ state }) => state !== 'offered')
  if (options.json === true) return terminal.json({ ...view, stores })
  terminal.table(columns, stores, { empty: 'This node shares and follows no store: trustnet store list' })
  for (const { name, folder, watch } of stores)
    if (folder !== null) terminal.print(`${sanitise(name)}: ${sanitise(folder)}${watch ? ', watched' : ''}`)
  terminal.print(`${bytes(view.usedBytes)} of ${bytes(view.quotaBytes)} are used (stores.quotaBytes).`)
  tellTroubles(context, stores)
}

const tellTroubles = ({ terminal }: Context, stores: readonly StoreRow[]): void => {
  for (const { name, owner, trouble } of stores)
    if (trouble !== null) terminal.progress(`${peerText(owner)}/${sanitise(name)}: ${sanitiseWhole(trouble)}`)
}

const show = async (context: Context, name: string, options: RunningOptions & { cid?: boolean }): Promise<void> => {
  const { terminal, signal } = context
  const client = await running(context, options)
  const view = await client.store({ store: name }, { signal })
  if (options.json === true) return terminal.json(view)
  const { store } = view
  if (options.cid === true) return terminal.print(orUnknown(store.cid))
  const lines: [string, string][] = [
    ['store', `${peerText(store.owner)}/${sanitise(store.name)}`],
    ['state', stateText(store)],
    ['version', `${orUnknown(store.seq?.toString())}, signed ${date(store.issuedMs)}`],
    [
      'content',
      `${store.files === null ? `${orUnknown(null)} files` : plural(store.files, 'file')}, ${bytes(store.sizeBytes)}`
    ],
    ['cid', orUnknown(store.cid)],
    ['here', store.heldSeq === null ? 'nothing in whole' : `version ${store.heldSeq}`],
    ['holders', store.holders.toString()],
    ['folder', orUnknown(store.folder === null ? null : sanitise(store.folder))]
  ]
  for (const [title, text] of lines) terminal.print(`${title.padEnd(9)}${text}`)
  tellTroubles(context, [store])
}
