import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Loaded } from '../../node/config/index.ts'
import type { AuthorityRevokeView } from '../../node/offline/authority-revoke.ts'
import { loadedConfig } from '../access/config-source.ts'
import { type RunningOptions, running, withAuthor, withRunning } from '../access/find-running.ts'
import { copyOwnStore } from '../access/local-store.ts'
import { readPassphrase } from '../access/passphrase.ts'
import { asOwner, ownerOf } from '../access/run-as-owner.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { ExitError, exitCodes, UsageError } from '../output/exit.ts'
import { orUnknown, plural, sanitise } from '../output/text.ts'
import { peerName } from '../peers/peers.ts'
import { sourceLine } from './become-root-text.ts'
import { requireKit } from './require-kit.ts'

type RevokeOptions = RunningOptions & { reason: string; plan?: boolean; kit?: string; domain?: string; peer?: string[] }

const collect = (value: string, before: string[] = []): string[] => [...before, value]

const notes = `
At the root it is entered into the log. Where the root is gone or in wrong hands
the authority, whose key is in the recovery kit, signs it: with --kit, on any
machine. Every member that can be reached is told, shuts the key out at once and
tells others; the root, or the next one, enters it. The passphrase comes from
TRUSTNET_RECOVERY_PASSPHRASE_FILE, or is asked for.

Examples:
  trustnet revoke hal --plan
  trustnet revoke hal --reason stolen
  trustnet revoke hal --as ann.key                    on any machine
  trustnet revoke hal --kit recovery.kit
  trustnet revoke hal --kit recovery.kit --peer /ip6/2001:db8::7/tcp/9000`

export const addRevoke: AddCommand = (program, context) => {
  withAuthor(withRunning(program.command('revoke <peer>')))
    .description('throw a member out, for ever: its key is never admitted again')
    .option('--reason <text>', 'written into the log', 'revoked by the operator')
    .option('--plan', 'say what would happen, and change nothing')
    .option('--kit <file>', 'recovery kit: the authority signs it, and no root is needed')
    .option('--domain <domain>', 'with --kit, where no node is: the domain of the network')
    .option('--peer <multiaddr>', 'with --kit: tell this member too (may be repeated)', collect)
    .addHelpText('after', notes)
    .action((peer: string, options: RevokeOptions) => revoke(context, peer, options))
}

const revoke = async (context: Context, peer: string, options: RevokeOptions): Promise<void> => {
  const { plan, reason } = options
  if (options.kit !== undefined && plan === true) {
    throw new UsageError('--plan asks the root that runs here: give it without --kit.')
  }
  if (options.kit !== undefined) return await revokeByKit(context, peer, { ...options, kit: resolve(options.kit) })
  if (options.domain !== undefined || options.peer !== undefined) {
    throw new UsageError('--domain and --peer go with --kit FILE: without it the root that runs here is asked.')
  }
  const client = await running(context, options)
  const view = await client.revoke({ peer: peerName(peer), reason, plan }, { signal: context.signal })
  if (options.json === true) return context.terminal.json(view)
  context.terminal.print(`${orUnknown(view.name)} ${sanitise(view.peerId)}: ${sanitise(view.message)}`)
}

const revokeByKit = async (context: Context, peer: string, options: RevokeOptions & { kit: string }): Promise<void> => {
  const { kit, domain, reason } = options
  requireKit(kit)
  const flags = {
    ...(domain !== undefined && { domain }),
    ...(options.peer !== undefined && { 'bootstrap.peers': options.peer })
  }
  const loaded = await loadedConfig(context, {
    ...(options.config !== undefined && { config: options.config }),
    ...(options.node !== undefined && { name: options.node }),
    flags
  })
  const passphrase = await readPassphrase(context)
  await asOwner(ownerOf(loaded), { files: [kit] }, ([own = kit]) =>
    tell(context, loaded, { kit: own, passphrase, peer: peerName(peer), reason }, options)
  )
}

interface Word {
  kit: string
  passphrase: string
  peer: string
  reason: string
}

const tell = async (context: Context, { config }: Loaded, word: Word, options: RevokeOptions): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'trustnet-revoke-'))
  try {
    const copy = join(folder, 'registry.db')
    const { store } = await copyOwnStore(context, () => running(context, options), config, copy)
    const { authorityRevoke } = await import('../../node/offline/authority-revoke.ts')
    context.terminal.progress('Telling every member that can be reached …')
    const view = await authorityRevoke({ config, ...word, copy, store })
    if (options.json === true) context.terminal.json(view)
    else show(context, view)
    requireTold(view)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const requireTold = ({ told, kept, entry }: AuthorityRevokeView): void => {
  if (told > 0 || entry !== null) return
  const what = kept ? 'The store here has it and tells the others when its node starts' : 'Nothing was changed'
  throw new ExitError(exitCodes.timeout, `No member could be told. ${what}; name one with --peer MULTIADDR.`)
}

const show = ({ terminal }: Context, view: AuthorityRevokeView): void => {
  const who = `${orUnknown(view.name)} ${sanitise(view.peerId)}`
  if (view.entry !== null) {
    terminal.print(`${who}: was revoked before, by entry ${view.entry}`)
    return
  }
  for (const source of view.sources) terminal.print(sourceLine(source))
  if (view.told > 0) {
    terminal.print(`${terminal.paint('good', 'Revoked')}     ${who}: ${plural(view.told, 'member')} shut it out now`)
  }
  if (view.kept) terminal.print('Kept        in the store of this machine, which tells the others when it starts')
  if (view.isRoot) {
    terminal.print('Its log key counts until there is a new root: trustnet registry promote or recover')
  }
}
