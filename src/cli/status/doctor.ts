import { dnssecOf } from '../../dns/dnssec.ts'
import { tnrName } from '../../dns/tnr.ts'
import { machineChecks } from '../../install/machine/checks.ts'
import * as node from '../../install/machine/doctor.ts'
import { readFacts } from '../../install/machine/read-facts.ts'
import type { Check } from '../../install/model/check.ts'
import { pass, warn } from '../../install/model/check.ts'
import type { MachineFacts } from '../../install/model/facts.ts'
import type { ControlApi } from '../../node/api/control-api.ts'
import { answering, type RunningOptions, withRunning } from '../access/find-running.ts'
import { checkLines, checkSummary } from '../output/check-text.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { exitCodes } from '../output/exit.ts'

const examples = `
Looks at the machine, and at the node when one runs. Changes nothing. Exits
with 5 when a check fails.

Examples:
  trustnet doctor
  trustnet doctor --node hal --json`

export const addDoctor: AddCommand = (program, context) => {
  withRunning(program.command('doctor'))
    .description('check this machine and the node on it, with what mends each fault')
    .addHelpText('after', examples)
    .action((options: RunningOptions) => doctor(context, options))
}

const doctor = async (context: Context, options: RunningOptions): Promise<void> => {
  const { terminal } = context
  const { checks } = await checksOf(context, options)
  if (options.json === true) terminal.json({ checks })
  else {
    for (const check of checks) for (const line of checkLines(check, terminal.paint)) terminal.print(line)
    terminal.print(`Checks: ${checkSummary(checks)}.`)
  }
  if (checks.some(({ level }) => level === 'fail')) context.exit(exitCodes.degraded)
}

/** All checks of this machine, and of the node when one runs. */
export const checksOf = async (context: Context, options: RunningOptions): Promise<{ checks: Check[] }> => {
  const { signal } = context
  const client = await answering(context, options)
  const facts = await readFacts({ ports: [], signal })
  const own = client === undefined ? [nothingRuns] : await nodeChecks(client, facts, signal)
  return { checks: [...machineChecks(facts), ...own] }
}

const nothingRuns: Check = warn('process', 'Process', 'no node runs here', 'trustnet install, or trustnet node start')

const nodeChecks = async (client: ControlApi, facts: MachineFacts, signal: AbortSignal): Promise<Check[]> => {
  const [status, peers, identity, registry] = await Promise.all([
    client.status({}, { signal }),
    client.peers({}, { signal }),
    client.identity({}, { signal }),
    // A node that has not found its network yet cannot say.
    client.registryStatus({}, { signal }).catch(() => undefined)
  ])
  const domain = status.network?.domain
  return [
    pass(
      'process',
      'Process',
      `${status.self.name ?? status.self.peerId} runs as pid ${status.self.pid}: ${status.word}`
    ),
    node.keyMode(identity.keyFile),
    node.clock(status, Date.now()),
    node.membership(status),
    node.reach(status),
    ...node.pinholes(status),
    ...node.relays(status),
    ...node.names(status),
    ...node.link(status),
    ...node.rootStore(registry?.rootStore),
    node.versions(peers),
    ...(domain === undefined ? [] : await dnssec(domain, [...status.dns.resolvers, ...facts.resolvers])),
    ...node.warnings(status)
  ]
}

const dnssecWords = {
  authenticated: 'is signed, and the resolver has checked it',
  unsigned: 'is not signed, or the resolver does not check; pins protect the first contact all the same',
  broken: 'has a broken chain of signatures: the resolver refuses it'
} as const

/** None where no server answers: nothing is known then, and pins protect the first contact. */
const dnssec = async (domain: string, [server]: readonly string[]): Promise<Check[]> => {
  const name = tnrName(domain)
  const state = server === undefined ? 'unknown' : await dnssecOf(name, server)
  if (state === 'unknown') return []
  const text = `${name} ${dnssecWords[state]}`
  return [state === 'broken' ? warn('dnssec', 'DNSSEC', text, `delv AAAA ${name}`) : pass('dnssec', 'DNSSEC', text)]
}
