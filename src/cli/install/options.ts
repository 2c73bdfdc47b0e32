import { type Command, InvalidArgumentError, Option } from 'commander'
import { resolverAddress } from '../../address/spelling.ts'
import { providerNames } from '../../dns/providers/provider.ts'
import { admissionPolicies, deploymentNames } from '../../install/model/answers.ts'

/** Options of the command line; what it does not say is asked, or has a default. */
export interface InstallOptions {
  domain?: string
  registryType?: 'integrated' | 'independent' | 'root' | 'external'
  nodeName?: string
  deployment?: (typeof deploymentNames)[number]
  image?: string
  start?: boolean
  port?: string
  policy?: (typeof admissionPolicies)[number]
  rootRegistry?: string
  announce?: string[]
  network?: string
  invite?: string
  trustOnFirstUse?: boolean
  ipv6AutoEnable?: boolean
  openFirewall?: boolean
  dnsProvider?: string
  awsProfile?: string
  dnsServer?: string
  yes?: boolean
  plan?: boolean
  verbose?: boolean
  json?: boolean
}

const words: ReadonlyMap<string, boolean> = new Map(
  Object.entries<boolean>({ true: true, yes: true, false: false, no: false })
)

const switchValue = (text: string): boolean => {
  const value = words.get(text)
  if (value === undefined) throw new InvalidArgumentError('It is true or false.')
  return value
}

/** A switch that may also be written --name=true and --name=false. */
const toggle = (name: string, about: string): Option =>
  new Option(`--${name} [true|false]`, about).argParser(switchValue)

const collect = (value: string, before: string[] = []): string[] => [...before, value]

export const withInstallOptions = (command: Command): Command =>
  command
    .option('--domain <domain>', 'domain of the network; an invite brings it')
    .addOption(
      new Option(
        '--registry-type <type>',
        'integrated (default), external, root, or independent (a second registry)'
      ).choices(['integrated', 'independent', 'root', 'external'])
    )
    .option('--node-name <name>', 'name of this node (default: the host name)')
    .addOption(
      new Option('--deployment <kind>', 'how it is kept running (default: vm, a systemd service)').choices(
        deploymentNames
      )
    )
    .option('--image <name>', 'docker, kubernetes: this image (default for docker: built here from the program)')
    .addOption(toggle('start', 'docker, kubernetes: start it (default), or write files and show the commands (=false)'))
    .option('--port <port>', 'TCP port (default: 8000 for registries, 9000 for nodes)')
    .option('--invite <line>', 'a line that `trustnet invite` printed, a file with it, or - for stdin')
    .option('--network <id>', 'pin of the network, instead of an invite')
    .addOption(toggle('trust-on-first-use', 'accept and pin the first network that answers'))
    .addOption(new Option('--policy <policy>', 'root: who is let in (default: invite)').choices(admissionPolicies))
    .option('--root-registry <address>', 'where the root is, when DNS is not to be asked')
    .addOption(new Option('--root-registry-ip <address>').hideHelp())
    .option('--announce <address>', 'announce this address alone (may be repeated)', collect)
    .addOption(new Option('--registry-vm-ip <address>').argParser(collect).hideHelp())
    .addOption(
      new Option('--dns-provider <name>', 'who writes the tnr record (default: manual)').choices(providerNames)
    )
    .option('--aws-profile <name>', 'for --dns-provider route53')
    .option('--dns-server <address>', 'for --dns-provider rfc2136: the primary name server', resolverAddress)
    .addOption(toggle('ipv6-auto-enable', 'turn IPv6 on where it is off'))
    .addOption(toggle('open-firewall', 'open the port where a firewall closes it'))
    .addOption(toggle('yes', 'ask nothing'))
    .addOption(toggle('plan', 'print all that would change, and change nothing'))
    .addOption(toggle('verbose', 'print each change as it is made'))
    .option('--json', 'print JSON')

/** Old names of two options. */
export const withAliases = (
  options: InstallOptions & { rootRegistryIp?: string; registryVmIp?: string[] }
): InstallOptions => {
  const { rootRegistryIp, registryVmIp, ...rest } = options
  const rootRegistry = rest.rootRegistry ?? rootRegistryIp
  const announce = rest.announce ?? registryVmIp
  return {
    ...rest,
    ...(rootRegistry === undefined ? {} : { rootRegistry }),
    ...(announce === undefined ? {} : { announce })
  }
}
