import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { must } from '../../install/apply/actions/system.ts'
import { OperatorError } from '../../install/errors.ts'
import { runCommand } from '../../install/machine/run-command.ts'
import { installedVersion } from '../../install/upgrade/plan.ts'
import {
  checkRelease,
  copyChecked,
  isOlder,
  type ReleaseFile,
  type ReleaseTrust
} from '../../install/upgrade/release-file.ts'
import { onAbort } from '../../runtime/abort.ts'
import { cleanEnvironment } from '../../runtime/clean-environment.ts'
import type { Context } from '../output/context.ts'
import { type ExitCode, ExitError } from '../output/exit.ts'
import { BrokenOffError, breakable } from '../output/interrupt.ts'
import { sanitise } from '../output/text.ts'

const unpackMs = 300_000

export type FromOptions = ReleaseTrust & {
  readonly plan?: boolean
  readonly verbose?: boolean
  readonly json?: boolean
}

/** Checks who signed a release, unpacks it where only root can, and lets it carry out the upgrade. */
export const upgradeFrom = async (context: Context, given: string, options: FromOptions): Promise<void> => {
  const release = await checkRelease(resolve(given), options)
  await refuseOlder(release)
  say(context, release, options)
  const folder = await mkdtemp(join(tmpdir(), 'trustnet-upgrade-'))
  try {
    const file = join(folder, basename(release.file))
    const { signal } = context
    await breakable(signal, copyChecked(release, file, signal))
    const run = async (command: readonly string[]) => await runCommand(command, { signal, timeoutMs: unpackMs })
    await breakable(signal, must({ run }, ['tar', '-xzf', file, '-C', folder, '--no-same-owner']))
    await hand(context, join(folder, basename(file, '.tar.gz'), 'bin/trustnet'), options)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const refuseOlder = async ({ version }: ReleaseFile): Promise<void> => {
  const installed = await installedVersion()
  if (installed === undefined || !isOlder(version, installed)) return
  throw new OperatorError(
    `${version} is older than ${installed}, which is installed. If that is meant: /opt/trustnet/${version}/bin/trustnet upgrade, where it was kept, or unpack it and run its own \`trustnet upgrade\`.`
  )
}

const say = ({ terminal }: Context, { comment }: ReleaseFile, { key, unsigned }: FromOptions): void => {
  const warn = terminal.paintProgress('warn', 'warning')
  if (unsigned === true)
    terminal.progress(
      `${warn}: nobody has signed this release, as far as was looked: its sum says nothing about who made it.`
    )
  else if (key !== undefined)
    terminal.progress(
      `${warn}: signed by the key ${key}, which is not the one of the installed program: ${sanitise(comment ?? '')}`
    )
  else terminal.progress(`Signed: ${sanitise(comment ?? '')}`)
}

/** Its own version of the command knows what it needs. */
const hand = async ({ signal }: Context, command: string, { plan, verbose, json }: FromOptions): Promise<void> => {
  const flags = Object.entries({ plan, verbose, json }).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : []
  )
  const child = spawn(command, ['upgrade', '--checked', ...flags], { stdio: 'inherit', env: cleanEnvironment() })
  using _ = onAbort(signal, () => child.kill('SIGTERM'))
  const [code] = await once(child, 'exit')
  if (code !== 0 && signal.aborted) throw new BrokenOffError('how things are is said above')
  if (code !== 0)
    throw new ExitError(
      exitCode(code),
      `The upgrade by ${command} ended with ${code ?? 'a signal'}; what it said is above.`
    )
}

const exitCode = (code: unknown): ExitCode => (code === 2 || code === 4 || code === 6 || code === 7 ? code : 1)
