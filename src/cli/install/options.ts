import { type Command, InvalidArgumentError, Option } from 'commander'
import { resolverAddress, socketAddress } from '../../address/spelling.ts'
import { providerNames } from '../../dns/providers/provider.ts'
import { type Role, roles } from '../../identity/role.ts'
import { noProbe } from '../../install/machine/ipv6-probe.ts'
import { toMultiaddr } from '../../install/machine/parse-facts.ts'
import { admissionPolicies, deploymentNames } from '../../install/model/answers.ts'
import { choice, oldRoles } from '../output/choice.ts'
import { wholeNumber } from '../output/peer-rows.ts'

/** Options of the command line; what it does not say is asked, or has a default. */
export interface InstallOptions {
  domain?: string
  role?: Role
  name?: string
  deployment?: (typeof deploymentNames)[number]
  image?: string
  start?: boolean
  port?: number
  policy?: (typeof admissionPolicies)[number]
  rootStore?: string
  rootStorePasswordFile?: string
  logKey?: string
  rootRegistry?: string
  announce?: string[]
  network?: string
  invite?: string
  trustOnFirstUse?: boolean
  ipv6AutoEnable?: boolean
  openFirewall?: boolean
  monitoring?: boolean
  http?: string | boolean
  names?: boolean
  ipv6Probe?: string
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
const toggle = (name: string, about: string): Option => {
  const option = new Option(`--${name} [true|false]`, about).argParser(switchValue)
  // Shown as what is typed.
  option.flags = `--${name}`
  return option
}

const roleChoice = (flags: string, about = ''): Option => choice(flags, about, Object.keys(roles), oldRoles)

/** The word of before for a service of systemd. */
const oldDeployments = { vm: 'systemd' }

const portNumber = wholeNumber('--port', 1, 65_535)

/** An address without a port is asked at that of HTTPS. */
const probeAddress = (text: string): string => (text === noProbe ? text : toMultiaddr(text, 443))

/** An address, or a switch like the others. */
const httpOption = (): Option =>
  new Option(
    '--http [address]',
    'answer programs and browsers over HTTP (default: on [::1], at its port + 400); elsewhere with a token, which is made'
  ).argParser((text) => words.get(text) ?? socketAddress(text))

const collect = (value: string, before: string[] = []): string[] => [...before, value]

const withRootStore = (command: Command): Command =>
  command
    .option('--root-store <url>', 'root and those that may take its place: PostgreSQL or etcd keeps the log')
    .option('--root-store-password-file <file>', 'password for it, in a file that systemd reads at each start')
    .option('--log-key <file>', 'with --root-store and an invite: a copy of the log key of the root')

export const withInstallOptions = (command: Command): Command =>
  withRootStore(command)
    .option('--domain <domain>', 'domain of the network; an invite brings it')
    .addOption(roleChoice('--role <role>', 'what it is in the network (default: integrated)'))
    .addOption(roleChoice('--registry-type <type>').hideHelp())
    .option('--name <name>', 'name of this node (default: the host name)')
    .addOption(new Option('--node-name <name>').hideHelp())
    .addOption(
      choice('--deployment <kind>', 'how it is kept running (default: systemd)', deploymentNames, oldDeployments)
    )
    .option('--image <name>', 'docker, kubernetes: this image (default for docker: built here from the program)')
    .addOption(toggle('start', 'docker, kubernetes: start it (default), or write files and show the commands (=false)'))
    .option('--port <port>', 'TCP port (default: 8000 for registries, 9000 for nodes)', portNumber)
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
    .option(
      '--ipv6-probe <address>',
      'what must answer beyond the router; none: nothing is tried (default: registry, DNS root servers)',
      probeAddress
    )
    .addOption(toggle('open-firewall', 'open the port where a firewall closes it'))
    .addOption(toggle('monitoring', 'let Prometheus and Grafana of this machine watch it'))
    .addOption(httpOption())
    .addOption(toggle('names', 'let systemd-resolved ask this node for names of members, NAME.DOMAIN'))
    .addOption(toggle('yes', 'ask nothing'))
    .addOption(toggle('plan', 'print all that would change, and change nothing'))
    .addOption(toggle('verbose', 'print each change as it is made'))
    .option('--json', 'print JSON')

/** Options by the names that they had before. */
interface OldOptions {
  registryType?: Role
  nodeName?: string
  rootRegistryIp?: string
  registryVmIp?: string[]
}

/** Gives each option its name of today. */
export const withAliases = (options: InstallOptions & OldOptions): InstallOptions => {
  const { registryType, nodeName, rootRegistryIp, registryVmIp, ...rest } = options
  const role = rest.role ?? registryType
  const name = rest.name ?? nodeName
  const rootRegistry = rest.rootRegistry ?? rootRegistryIp
  const announce = rest.announce ?? registryVmIp
  return {
    ...rest,
    ...(role === undefined ? {} : { role }),
    ...(name === undefined ? {} : { name }),
    ...(rootRegistry === undefined ? {} : { rootRegistry }),
    ...(announce === undefined ? {} : { announce })
  }
}
