import { Argument } from 'commander'
import { roles } from '../../identity/role.ts'
import type { Output } from '../../node/api/control-api.ts'
import { peerStates } from '../../node/api/words.ts'
import { type AddressesOf, rowAddresses } from '../../node/names/named-addresses.ts'
import { hasTag, prometheusTargets } from '../../node/names/prometheus-sd.ts'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import { listed } from '../output/choice.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { exitCodes } from '../output/exit.ts'
import { type PeerFilter, selectPeers, wholeNumber } from '../output/peer-rows.ts'
import { checkFilter } from '../peers/peers.ts'
import { serviceName } from '../service/service-name.ts'
import { ansibleText } from './ansible.ts'
import { requireFit } from './fit-view.ts'
import { hostsText } from './hosts.ts'
import { sshConfigText } from './ssh-config.ts'
import { tsvText } from './tsv.ts'

type Peers = Output<'peers'>
type ExportOptions = RunningOptions & Pick<PeerFilter, 'role' | 'state' | 'service'> & { tag?: string; port?: number }

const examples = `
Those who left are in \`tsv\` alone. Tags, services and versions are what members
say of themselves; names, roles and groups are in the log.

Examples:
  trustnet export hosts                        lines for /etc/hosts
  trustnet export ansible > inventory.yml      for ansible-inventory -i
  trustnet export prometheus-sd --port 9100    every member's node exporter
  trustnet export prometheus-sd --service web  those that announce this service
  trustnet export ssh-config > ~/.ssh/net      Include net
  trustnet export tsv --state offline          a table for awk and cut`

const formats = ['hosts', 'ansible', 'prometheus-sd', 'ssh-config', 'tsv'] as const
type Format = (typeof formats)[number]

export const addExport: AddCommand = (program, context) => {
  withRunning(program.command('export'))
    .addArgument(new Argument('<format>', 'of the text').choices([...formats]))
    .description('members and services for other programs')
    .addOption(listed('--state <states>', 'only these states, by comma', peerStates))
    .addOption(listed('--role <roles>', 'only these roles', Object.keys(roles)))
    .option('--service <service>', 'only those that announce this service', serviceName)
    .option('--tag <tag>', 'only those that have this tag, or a service that has it')
    .option('--port <n>', 'prometheus-sd: members at this port, not their services', wholeNumber('--port', 1, 65_535))
    .addHelpText('after', examples)
    .action((format: Format, options: ExportOptions) => exportMembers(context, format, options))
}

const exportMembers = async (context: Context, format: Format, options: ExportOptions): Promise<void> => {
  checkFilter(options)
  const { terminal, signal } = context
  const client = await running(context, options)
  const view = await client.peers({}, { signal })
  const { tag, ...filter } = options
  const { rows } = selectPeers(view.peers, { ...filter, sort: 'name', all: true })
  const chosen = { ...view, peers: tag === undefined ? rows : rows.filter((row) => hasTag(row, tag)) }
  // All of them: this node, which says what counts as an address, may not be among the chosen.
  const addressesOf = rowAddresses(view.peers)
  if (options.json !== true) requireFit(view)
  if (options.json === true) terminal.json(chosen)
  else if (format === 'ansible') terminal.print(ansibleText(chosen, addressesOf, await client.members({}, { signal })))
  else terminal.print(texts[format](chosen, addressesOf, options))
  if (chosen.peers.length === 0) context.exit(exitCodes.noMatch)
}

type Text = (view: Peers, addressesOf: AddressesOf, options: ExportOptions) => string

const texts: Record<Exclude<Format, 'ansible'>, Text> = {
  hosts: hostsText,
  'ssh-config': sshConfigText,
  tsv: tsvText,
  'prometheus-sd': (view, addressesOf, options) =>
    JSON.stringify(prometheusTargets(view, addressesOf, options), undefined, 2)
}
