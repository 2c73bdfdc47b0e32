import { type Command, Option } from 'commander'
import { resolverAddress } from '../../address/spelling.ts'
import { providerNames } from '../../dns/providers/provider.ts'
import { formatDuration, parseDuration } from '../../node/config/durations.ts'
import { longestTimerMs } from '../../runtime/sleep.ts'
import { withRunning } from '../access/find-running.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { UsageError } from '../output/exit.ts'
import { exampleOf } from '../output/help.ts'
import { wholeNumber } from '../output/peer-rows.ts'
import type { CheckOptions, SetOptions, ShowOptions } from './options.ts'

const examples = `
Examples:
  trustnet dns show              the records, and how to enter them by hand
  trustnet dns check             what is published against what is alive
  trustnet dns set --provider route53 --aws-profile dns`

const setHelp = `
Adds the addresses of registries that are alive and removes those of registries
that are down; what belongs to nobody stays unless --prune. What others say of
a registry is tried from here first: an address that answers is not removed.
--remove names one in spite of that. Secrets are in the
environment: CLOUDFLARE_API_TOKEN, TRUSTNET_DNS_TSIG_KEY, or with _FILE after
the name, a file of mode 0600; Route 53 finds credentials as every AWS tool.

Examples:
  trustnet dns set --provider cloudflare
  trustnet dns set --provider rfc2136 --server 2001:db8::53
  trustnet dns set --provider route53 --add 2001:db8::2
  trustnet dns set --plan                what would be changed`

const withDomain = (command: Command): Command =>
  withRunning(command)
    .option('--domain <domain>', 'default: the domain of the running network')
    .option('--ask <address...>', "name servers to ask instead of the zone's own", resolvers)

const resolvers = (text: string, before: string[] = []): string[] => [...new Set([...before, resolverAddress(text)])]

const provider = (text: string): Option =>
  new Option('--provider <name>', text).choices([...providerNames]).default('manual')

const duration =
  (flag: string) =>
  (text: string): number => {
    const ms = parseDuration(text)
    if (ms === undefined || ms > longestTimerMs)
      throw new UsageError(`${flag} needs a duration like 30s or 5m, of 24d at most; '${text}' is none.`)
    return ms
  }

/** A default as it would be typed: a bare number means seconds. */
const inWords = (option: Option, ms: number): Option => option.default(ms, formatDuration(ms))

const everyMs = 30_000
const waitMs = 120_000
const recordTtlSeconds = 300
/** A week: longer, and an address that is gone is dialled for as long. */
const maxTtlSeconds = 604_800

export const addDns: AddCommand = (program, context) => {
  const dns = program
    .command('dns')
    .description('the AAAA records by which new machines find the registries')
    .addHelpText('after', examples)
  withDomain(dns.command('show'))
    .description('the records that are needed, and how to enter them')
    .option('--address <ip...>', 'of the registries; default: those that are alive')
    .addOption(provider('steps for this provider; manual: for all'))
    .addHelpText('after', exampleOf('trustnet dns show', 'trustnet dns show --provider cloudflare'))
    .action(async (options: ShowOptions) => (await import('./show.ts')).show(context, options))
  withDomain(dns.command('check'))
    .description('compare what is published with the registries alive (exit 5 when an edit is needed)')
    .option('-w, --watch', 'repeat until Ctrl-C, and print each change')
    .addOption(inWords(new Option('--every <duration>', 'with --watch').argParser(duration('--every')), everyMs))
    .addHelpText('after', exampleOf('trustnet dns check', 'trustnet dns check --watch --every 1m'))
    .action(async (options: CheckOptions) => (await import('./check.ts')).check(context, options))
  addSet(dns, context)
}

const addSet = (dns: Command, context: Context): void => {
  withDomain(dns.command('set'))
    .description('add and remove exactly what is needed, and wait until the zone has it')
    .addOption(provider('who writes it; manual: prints what to do'))
    .option('--add <ip...>', 'add these instead')
    .option('--remove <ip...>', 'remove these instead')
    .option('--prune', 'remove what belongs to no registry of this network too')
    .option('--plan', 'print the edit and change nothing')
    .addOption(
      new Option('--ttl <seconds>', 'of the record')
        .argParser(wholeNumber('--ttl', 1, maxTtlSeconds))
        .default(recordTtlSeconds, `${recordTtlSeconds} seconds`)
    )
    .addOption(
      inWords(new Option('--wait <duration>', 'for all name servers to have it').argParser(duration('--wait')), waitMs)
    )
    .option('--no-wait', 'do not wait for the name servers')
    .option('--aws-profile <name>', 'route53: profile of ~/.aws')
    .option('--zone-id <id>', 'route53, cloudflare: default: the zone of that name')
    .option('--server <address>', "rfc2136: the zone's primary name server", resolverAddress)
    .option('--zone <domain>', 'rfc2136: default: what the server says')
    .addHelpText('after', setHelp)
    .action(async (options: SetOptions) => (await import('./set.ts')).set(context, options))
}
