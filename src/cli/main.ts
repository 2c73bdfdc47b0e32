import { Command, CommanderError } from 'commander'
import { versionInfo } from '../runtime/version.ts'
import { addDev } from './dev/command.ts'
import { addDns } from './dns/command.ts'
import { addDrill } from './drill/command.ts'
import { addInstall } from './install/command.ts'
import { addUninstall } from './install/uninstall.ts'
import { addUpgrade } from './install/upgrade.ts'
import { addConfig } from './network/config.ts'
import { addInit } from './network/init.ts'
import { addInvite } from './network/invite.ts'
import { addJoin } from './network/join.ts'
import { addNode } from './network/start.ts'
import { addCompletion } from './output/completion.ts'
import type { AddCommand, Context } from './output/context.ts'
import { type ExitCode, exitCodeOf, exitCodes } from './output/exit.ts'
import { Terminal, type TerminalInit } from './output/terminal.ts'
import { sanitiseError } from './output/text.ts'
import { addVersion } from './output/version.ts'
import { addAddress } from './peers/address.ts'
import { addIdentity } from './peers/identity.ts'
import { addLookup } from './peers/lookup.ts'
import { addPeers } from './peers/peers.ts'
import { addRegistry } from './registry/registry.ts'
import { addRevoke } from './registry/revoke.ts'
import { addDoctor } from './status/doctor.ts'
import { addStatus } from './status/status.ts'
import { addWait } from './status/wait.ts'

const commands: readonly AddCommand[] = [
  addDev,
  addDrill,
  addInstall,
  addUpgrade,
  addUninstall,
  addDoctor,
  addInit,
  addNode,
  addRegistry,
  addStatus,
  addPeers,
  addLookup,
  addIdentity,
  addAddress,
  addInvite,
  addJoin,
  addRevoke,
  addDns,
  addWait,
  addConfig,
  addVersion,
  addCompletion
]

const about = `The machines of one domain find, recognise and reach each other over IPv6.`

const footer = `
Start here:
  trustnet dev                         a whole network on this machine
  trustnet init --domain example.org   a network of your own
  trustnet registry start              its root; then, for each machine:
  trustnet invite                      prints a line
  trustnet join LINE                   there, lets it in

Exit codes: 0 fine, 1 failure of our own, 2 usage or configuration,
3 nothing running, 4 no match, 5 degraded (--check), 6 refused,
7 timed out or unreachable.`

export interface MainInit extends TerminalInit {
  argv: readonly string[]
  signal: AbortSignal
}

/** Runs one command line and gives its exit code. Never throws, never ends the process. */
export const main = async (init: MainInit): Promise<ExitCode> => {
  const terminal = new Terminal(init)
  let code: ExitCode = exitCodes.fine
  const context: Context = {
    terminal,
    signal: init.signal,
    exit(wanted) {
      code = wanted
    }
  }
  try {
    await createProgram(context).parseAsync([...init.argv], { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.fine : exitCodes.usage
    // Ctrl-C in a command that only asks or watches is how it is ended.
    if (init.signal.aborted) return code
    terminal.progress(`${terminal.paintProgress('bad', 'error')}: ${messageOf(error)}`)
    return exitCodeOf(error)
  }
}

const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return sanitiseError(String(error))
  return error.message.split('\n').map(sanitiseError).join('\n       ')
}

const createProgram = (context: Context): Command => {
  const { terminal } = context
  const program = new Command('trustnet')
    .description(about)
    .version(versionInfo().version, '-V, --version', 'print the version')
    .addHelpText('after', footer)
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text)
    })
    .configureHelp({ sortOptions: false })
    .showSuggestionAfterError()
    .exitOverride()
  for (const add of commands) add(program, context)
  settle(program)
  return program
}

/** exitOverride and output are not inherited by commands that were added with their own settings. */
const settle = (command: Command): void => {
  for (const child of command.commands) {
    child.copyInheritedSettings(command)
    settle(child)
  }
}
