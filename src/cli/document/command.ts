import type { Command } from 'commander'
import type { ControlApi } from '../../node/api/control-api.ts'
import { type RunningOptions, running, withAuthor, withRunning } from '../access/find-running.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { ExitError, exitCodes, UsageError } from '../output/exit.ts'
import { exampleOf } from '../output/help.ts'
import { wholeNumber } from '../output/peer-rows.ts'
import { sanitise, sanitiseWhole } from '../output/text.ts'
import { peerName } from '../peers/peers.ts'
import { contentOf, isText, mediaTypeOf } from './content.ts'
import { addList, tellAge } from './list.ts'

const notes = `
Every node holds all current documents and serves them while it is cut off. A
document has at most 256 KiB, all of them together what the policy gives
(documentBytes). The root publishes, and whoever an operator allows.

Examples:
  trustnet document publish plan.md --id plan
  tar c conf | trustnet document publish - --id conf --type application/x-tar
  trustnet document show plan
  trustnet document history plan
  trustnet document retire plan notes --reason 'replaced by roadmap'
  trustnet document allow-publisher hal`

export const addDocument: AddCommand = (program, context) => {
  const document = program
    .command('document')
    .description('documents that every node holds')
    .addHelpText('after', notes)
  addPublish(document, context)
  addList(document, context)
  addShow(document, context)
  addRetire(document, context)
  addPublishers(document, context)
}

type PublishOptions = RunningOptions & { id: string; type?: string }

const addPublish = (document: Command, context: Context): void => {
  withRunning(document.command('publish <file>'))
    .description('publish a file, `-` for standard input, as the next version of a document')
    .requiredOption('--id <id>', 'its id: letters, digits, dot, _ and -')
    .option('--type <type>', 'media type; default: by the name of the file')
    .addHelpText('after', exampleOf('trustnet document publish plan.md --id plan'))
    .action(async (file: string, options: PublishOptions) => {
      const bytes = await contentOf(context, file)
      const client = await running(context, options)
      const { id, type: mediaType = mediaTypeOf(file, bytes) } = options
      const given = { id: documentId(id), mediaType, content: bytes.toString('base64') }
      const view = await client.publishDocument(given, { signal: context.signal })
      if (options.json === true) context.terminal.json(view)
      else context.terminal.print(sanitise(view.message))
    })
}

/** Before it stands in an address or a message. @throws UsageError */
const documentId = (id: string): string => {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(id)) return id
  throw new UsageError(
    `'${sanitise(id)}' is no id of a document: it has 1 to 128 letters, digits, dots, _ and -, and begins with a letter or digit.`
  )
}

type ShowOptions = RunningOptions & { version?: number }

const addShow = (document: Command, context: Context): void => {
  withRunning(document.command('show <id>'))
    .description('print the bytes of a document')
    .option('--version <n>', 'this version; default: the newest', wholeNumber('--version', 1))
    .addHelpText('after', exampleOf('trustnet document show plan', 'trustnet document show plan --version 2 > plan.md'))
    .action(async (id: string, options: ShowOptions) => {
      const client = await running(context, options)
      const query = { id: documentId(id), version: options.version }
      const view = await client.document(query, { signal: context.signal })
      const { terminal } = context
      if (options.json === true) return terminal.json(view)
      tellAge(context, view)
      const bytes = Buffer.from(view.content, 'base64')
      if (!terminal.isTTY) return terminal.bytes(bytes)
      if (!isText(bytes)) {
        throw new ExitError(
          exitCodes.usage,
          `${sanitise(id)} is ${sanitise(view.document.mediaType)} and no text: trustnet document show ${sanitise(id)} > FILE`
        )
      }
      terminal.stdout.write(shownText(bytes.toString('utf8')))
    })
}

/** Text on a terminal: lines and tabs, and no code that paints or moves. */
const shownText = (text: string): string =>
  text
    .split(/(?<=[\n\t])|(?=[\n\t])/)
    .map(shownPart)
    .join('')

const shownPart = (part: string): string => (part === '\n' || part === '\t' ? part : sanitiseWhole(part))

type ChangeOptions = RunningOptions & { plan?: boolean }

/** @throws UsageError */
const reasonText = (text: string): string => {
  if (text.trim() !== '') return text
  throw new UsageError('--reason is empty: say why, for those who look for the document.')
}

type RetireOptions = ChangeOptions & { reason: string; publisher?: string }

const addRetire = (document: Command, context: Context): void => {
  withAuthor(withRunning(document.command('retire [ids...]')))
    .description('take documents out of those that are current')
    .requiredOption('--reason <text>', 'written into the log', reasonText)
    .option('--publisher <peer>', 'all current ones of this publisher, by name or PeerId')
    .option('--plan', 'say what would happen, and change nothing')
    .addHelpText(
      'after',
      exampleOf(
        "trustnet document retire plan --reason 'replaced by roadmap'",
        'trustnet document retire --publisher eve --reason flooded'
      )
    )
    .action(async (ids: string[], options: RetireOptions) => {
      const { reason, plan } = options
      const given = ids.map(documentId)
      if (given.length > 0 === (options.publisher !== undefined))
        throw new UsageError('which documents? Give ids, or --publisher for all of a publisher.')
      const client = await running(context, options)
      const all = options.publisher === undefined ? given : await idsOf(context, client, options.publisher)
      // Each is an entry of its own: one that fails leaves those before it retired.
      for (const id of all) {
        const view = await client.retireDocument({ id, reason, plan }, { signal: context.signal })
        if (options.json === true) context.terminal.json(view)
        else context.terminal.print(`${sanitise(view.id)}: ${sanitise(view.message)}`)
      }
    })
}

/** Ids of the current documents of a publisher. @throws ExitError where it has none */
async function idsOf(context: Context, client: ControlApi, publisher: string): Promise<string[]> {
  const name = peerName(publisher)
  const { signal } = context
  const { documents } = await client.documents({}, { signal })
  const current = documents.filter(({ retired }) => retired === null)
  const named = current.filter((row) => row.publisher.name === name || row.publisher.peerId === name)
  if (named.length > 0) return named.map(({ id }) => id)
  // A key that was revoked, or has left, has no name any more in what it has published.
  const { peerId } = await client.why({ peer: name }, { signal })
  const ids = current.filter((row) => row.publisher.peerId === peerId).map(({ id }) => id)
  if (ids.length > 0) return ids
  throw new ExitError(
    exitCodes.noMatch,
    `${sanitise(name)} has published nothing that is current: trustnet document list names publishers`
  )
}

const addPublishers = (document: Command, context: Context): void => {
  const changes = [
    ['allow-publisher', 'allowPublisher', 'let a member, or a key, publish documents'],
    ['remove-publisher', 'removePublisher', 'let it publish no more; what it has published stays']
  ] as const
  for (const [word, call, description] of changes) {
    withAuthor(withRunning(document.command(`${word} <peer>`)))
      .description(description)
      .option('--plan', 'say what would happen, and change nothing')
      .addHelpText('after', exampleOf(`trustnet document ${word} hal`))
      .action(async (peer: string, options: ChangeOptions) => {
        const client = await running(context, options)
        const query = { publisher: peerName(peer), plan: options.plan }
        const view = await client[call](query, { signal: context.signal })
        if (options.json === true) context.terminal.json(view)
        else context.terminal.print(`${sanitise(view.name ?? view.peerId)} ${sanitise(view.message)}`)
      })
  }
}
