import { providerNames } from '../../dns/providers/provider.ts'
import { isRegistryRole, type Role } from '../../identity/role.ts'
import { deployments } from '../../install/deployments/index.ts'
import { stableAddresses } from '../../install/machine/checks.ts'
import { firewallCloses } from '../../install/machine/firewall.ts'
import type { MachineFacts } from '../../install/model/facts.ts'
import { defaultHttp } from '../../install/model/http.ts'
import { asksResolved } from '../../install/model/names.ts'
import { type Given, withInvite } from '../../install/plan/resolve-answers.ts'
import { defaultPort, nameFromHost } from '../../node/config/defaults.ts'
import { parseConfig } from '../../node/config/index.ts'
import { decodeInvite } from '../../registry/objects/invite.ts'
import type { Ask, Choice } from './ask.ts'

const roleChoices: readonly Choice<Role>[] = [
  {
    value: 'root',
    name: '1  root         makes a new network',
    description: 'The registry that lets machines in. A network has one.'
  },
  {
    value: 'secondary',
    name: '2  secondary    a second registry',
    description: 'Serves the network while the root is away. Needs an invite.'
  },
  {
    value: 'integrated',
    name: '3  integrated   a node of a network',
    description: 'The usual machine: a node with a registry of its own inside.'
  },
  {
    value: 'external',
    name: '4  external     a node without records',
    description: 'The least memory: keeps the log, asks registries for the rest.'
  }
]

const trustChoices: readonly Choice<'invite' | 'network' | 'first-use'>[] = [
  {
    value: 'invite',
    name: 'an invite',
    description: 'A line that `trustnet invite` printed on the root. Lets this machine in at once.'
  },
  {
    value: 'network',
    name: 'the network id',
    description: 'Shown by `trustnet identity`. This machine waits for approval.'
  },
  {
    value: 'first-use',
    name: 'the first that answers',
    description: 'Whoever answers is believed, once. Compare the fingerprint afterwards.'
  }
]

const policyChoices: readonly Choice<'invite' | 'approve' | 'open'>[] = [
  { value: 'invite', name: 'invite', description: 'Who has an invite.' },
  { value: 'approve', name: 'approve', description: 'Whom you approve on the pending list, and who has an invite.' },
  { value: 'open', name: 'open', description: 'Everybody who can reach the root.' }
]

/** Asks for what was not said by flags, in the order in which an answer can make a later question unneeded. */
export const askAll = async (ask: Ask, said: Given, facts: MachineFacts): Promise<Given> => {
  let given = withInvite(said)
  const add = (more: Given): void => {
    given = { ...given, ...more }
  }
  if (given.role === undefined)
    add({ role: await ask.select('What is this machine to be?', roleChoices, 'integrated') })
  const role = given.role ?? 'integrated'
  if (role !== 'root') add(await askTrust(ask, given))
  if (given.domain === undefined) add({ domain: await ask.input('Domain of the network', { check: rule('domain') }) })
  if (given.name === undefined) {
    add({
      name: await ask.input('Name of this machine in the network', { fallback: nameFromHost(), check: rule('name') })
    })
  }
  if (role === 'root' && given.policy === undefined)
    add({ policy: await ask.select('Who is let in?', policyChoices, 'invite') })
  if (given.deployment === undefined) add({ deployment: await askDeployment(ask, facts) })
  if (given.announce === undefined) add({ announce: await askAddress(ask, facts) })
  if (isRegistryRole(role) && given.dnsProvider === undefined) {
    const choices = providerNames.map((value) => ({ value, name: value, description: providerWords[value] }))
    add({ dnsProvider: await ask.select('Who writes the DNS record?', choices, 'manual') })
  }
  return await askConsents(ask, given, facts)
}

const providerWords = {
  manual: 'You do, with the steps that are shown next.',
  route53: 'Amazon Route 53, with the credentials of --aws-profile or the environment.',
  cloudflare: 'Cloudflare, with a token from the environment or a file (see .env.example).',
  rfc2136: 'A name server that takes dynamic updates, with a TSIG key.'
} as const

const askTrust = async (ask: Ask, given: Given): Promise<Given> => {
  if (given.invite !== undefined || given.network !== undefined || given.trustOnFirstUse === true) return given
  const kind = await ask.select('What is the network recognised by?', trustChoices, 'invite')
  if (kind === 'first-use') return { ...given, trustOnFirstUse: true }
  if (kind === 'network') return { ...given, network: await ask.input('Network id', { check: rule('networkId') }) }
  const invite = await ask.secret('Paste the invite line (it is not shown)', (line) => inviteProblem(line, given))
  return withInvite({ ...given, invite })
}

const inviteProblem = (line: string, given: Given): string | undefined => {
  try {
    decodeInvite(line)
    withInvite({ ...given, invite: line })
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const askDeployment = async (ask: Ask, facts: MachineFacts): Promise<Given['deployment']> => {
  // It is this machine that is asked about; a cluster is named by its flag.
  const able = deployments.filter((one) => one.isElsewhere !== true && one.check(facts).level !== 'fail')
  const [first] = able
  if (first === undefined || able.length === 1) return first?.name
  const choices = able.map(({ name, about }) => ({ value: name, name, description: about }))
  return await ask.select('How is it kept running?', choices, first.name)
}

const askAddress = async (ask: Ask, facts: MachineFacts): Promise<readonly string[]> => {
  const addresses = stableAddresses(facts)
  if (addresses.length < 2) return []
  const all = { value: 'all', name: 'all of them, followed when they change', description: addresses.join(', ') }
  const each = addresses.map((value) => ({ value, name: value, description: 'This one alone.' }))
  const chosen = await ask.select('Which address is told to others?', [all, ...each], 'all')
  return chosen === 'all' ? [] : [chosen]
}

/** Consent to changes of the system, and to an API that others may ask. */
const askConsents = async (ask: Ask, given: Given, facts: MachineFacts): Promise<Given> => {
  const port = given.port ?? defaultPort(given.role ?? 'integrated')
  let all = given
  if (given.ipv6AutoEnable === undefined && facts.ipv6.disabled.length > 0 && facts.ipv6.writable) {
    all = { ...all, ipv6AutoEnable: await ask.confirm('IPv6 is turned off here. Turn it on?', true) }
  }
  if (given.openFirewall === undefined && firewallCloses(facts, port)) {
    all = { ...all, openFirewall: await ask.confirm(`${facts.firewall.tool} closes port ${port}. Open it?`, true) }
  }
  if (given.http === undefined && given.monitoring !== true) {
    const question = `Answer programs and browsers of this machine over HTTP, at ${defaultHttp(port)}?`
    all = { ...all, http: await ask.confirm(question, false) }
  }
  if (given.names === undefined && (given.deployment ?? 'systemd') === 'systemd' && asksResolved(facts)) {
    const question = `Have names of members, NAME.${given.domain ?? 'DOMAIN'}, found on this machine? All names of that domain are asked of this node then: one that no member has, like www.${given.domain ?? 'DOMAIN'}, is not found here any more.`
    all = { ...all, names: await ask.confirm(question, false) }
  }
  return all
}

/** The rule of that key of the configuration, as a question wants it. */
const rule =
  (key: 'domain' | 'name' | 'networkId') =>
  (value: string): string | undefined => {
    try {
      parseConfig({ flags: { [key]: value }, env: {} })
      return undefined
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      return text.replace(/^command line: \w+: /, '')
    }
  }
