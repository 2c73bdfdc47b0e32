import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import type { ControlApi } from '../../node/api/control-api.ts'
import { cleanEnvironment } from '../../runtime/clean-environment.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { versionInfo } from '../../runtime/version.ts'
import { loadedConfig } from '../access/config-source.ts'
import { answering, type RunningOptions, withRunning } from '../access/find-running.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { ExitError, exitCodes } from '../output/exit.ts'
import { exampleOf } from '../output/help.ts'
import { bytes, plural, sanitise, sanitiseError } from '../output/text.ts'
import { checksOf } from '../status/doctor.ts'
import { ReportRedactor } from './redact.ts'

type ReportOptions = RunningOptions & { output?: string; withAddresses?: boolean }

const notes = `
One tar of what helps to find a fault: status, configuration, doctor, versions,
members, history, log lines, metrics, statistics of the store. Keys, tokens,
passphrases and invites are taken out, addresses too unless --with-addresses;
PeerIds and names stay. It is sent to nobody: it prints what is in it, look at
it first.
${exampleOf('trustnet report', 'trustnet report --output /tmp/hal.tar --with-addresses')}`

export const addReport: AddCommand = (program, context) => {
  withRunning(program.command('report'))
    .description('write one tar that helps others to find a fault')
    .option('-o, --output <file>', 'a new file; default trustnet-report-TIME.tar here')
    .option('--with-addresses', 'leave IP addresses in')
    .addHelpText('after', notes)
    .action((options: ReportOptions) => report(context, options))
}

/** A part of the report, by the name of its file. */
type Parts = Readonly<Record<string, () => Promise<unknown>>>

const eventRows = 1_000
const logRows = 200

/** Answers of a running process, each asked for by itself, so that one that fails takes no other with it. */
const processParts = (api: ControlApi, signal: AbortSignal): Parts => ({
  'status.json': () => api.status({}, { signal }),
  'identity.json': () => api.identity({}, { signal }),
  'peers.json': () => api.peers({}, { signal }),
  'topology.json': () => api.topology({}, { signal }),
  'registry-status.json': () => api.registryStatus({}, { signal }),
  'registry-nodes.json': () => api.registryNodes({}, { signal }),
  'registry-log.json': () => api.log({ limit: logRows }, { signal }),
  'policy.json': () => api.policy({}, { signal }),
  'clock.json': () => api.clock({}, { signal }),
  'events.json': () => api.history({ limit: eventRows }, { signal }),
  'metrics.txt': async () => (await api.metrics({}, { signal })).lines,
  'log.txt': async () => (await api.recentLog({}, { signal })).lines
})

const report = async (context: Context, options: ReportOptions): Promise<void> => {
  const { terminal, signal } = context
  const now = new Date().toISOString().replaceAll(/[:.]/g, '-')
  const file = resolve(options.output ?? `trustnet-report-${now}.tar`)
  if (existsSync(file)) throw new ExitError(exitCodes.refused, `${sanitise(file)} is there already: name a new file.`)
  const client = await answering(context, options)
  const parts: Parts = {
    'version.json': async () => ({ ...versionInfo(), platform: process.platform, arch: process.arch }),
    'config.json': async () => configOf(await loadedConfig(context, options)),
    'doctor.json': () => checksOf(context, options),
    ...(client === undefined ? {} : processParts(client, signal))
  }
  const redactor = new ReportRedactor(options.withAddresses === true, { argv: [], env: terminal.env })
  const written = await writeTar(file, parts, redactor, signal)
  const said = {
    path: file,
    running: client !== undefined,
    addresses: redactor.addresses,
    files: written
  }
  if (options.json === true) return terminal.json(said)
  terminal.print(`${file} holds:`)
  for (const { name, bytes: size, error } of written)
    terminal.print(`  ${name}  ${error === null ? bytes(size) : `not there: ${sanitiseError(error)}`}`)
  const hidden =
    options.withAddresses === true
      ? 'addresses are in it'
      : `${plural(redactor.addresses, 'address', 'addresses')} taken out`
  terminal.print(
    `Keys, tokens, passphrases and invites are taken out; ${hidden}. Names and PeerIds are in it. Look before you send it.`
  )
  if (client === undefined) terminal.progress('No node runs here: the report is about this machine alone.')
}

const configOf = ({ file, config, sources, warnings }: Awaited<ReturnType<typeof loadedConfig>>): object => ({
  file: file ?? null,
  config,
  sources,
  warnings
})

interface WrittenPart {
  name: string
  bytes: number
  /** null: it is there. */
  error: string | null
}

const folderName = 'trustnet-report'

const writeTar = async (
  file: string,
  parts: Parts,
  redactor: ReportRedactor,
  signal: AbortSignal
): Promise<WrittenPart[]> => {
  const parent = await mkdtemp(join(tmpdir(), 'trustnet-report-'))
  try {
    const folder = join(parent, folderName)
    await mkdir(folder)
    const written: WrittenPart[] = []
    for (const [name, make] of Object.entries(parts))
      written.push(await writePart(folder, name, make, redactor, signal))
    await packTo(file, parent, signal)
    return written
  } finally {
    await rm(parent, { recursive: true, force: true })
  }
}

/** Written through the descriptor that was opened here: nobody else can put another file in its place. What is not whole is not kept. */
const packTo = async (file: string, parent: string, signal: AbortSignal): Promise<void> => {
  const target = await open(file, 'wx', 0o600)
  try {
    const argv = ['-cf', '-', '-C', parent, '--owner=0', '--group=0', folderName]
    const tar = spawn('tar', argv, { env: cleanEnvironment(), signal, stdio: ['ignore', target.fd, 'pipe'] })
    const [said, [code]] = await Promise.all([tar.stderr === null ? '' : text(tar.stderr), once(tar, 'close')])
    if (code !== 0)
      throw new ExitError(
        exitCodes.failure,
        `${sanitise(file)} cannot be written whole, so nothing of it is kept: ${sanitise(said.trim().split('\n')[0] ?? '')}; is the disk full (df -h)?`
      )
  } catch (error) {
    await rm(file, { force: true })
    throw error
  } finally {
    await target.close()
  }
}

const writePart = async (
  folder: string,
  name: string,
  make: () => Promise<unknown>,
  redactor: ReportRedactor,
  signal: AbortSignal
): Promise<WrittenPart> => {
  try {
    const made = await make()
    const cleaned = Array.isArray(made) ? redactor.lines(made.map(String)) : redactor.json(made, 2)
    await writeFile(join(folder, name), `${cleaned}\n`, { mode: 0o600 })
    return { name, bytes: Buffer.byteLength(cleaned) + 1, error: null }
  } catch (error) {
    signal.throwIfAborted()
    return { name, bytes: 0, error: redactor.clean(reasonOf(error)) }
  }
}
