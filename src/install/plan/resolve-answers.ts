import { socketAddress, socketParts } from '../../address/spelling.ts'
import { peerIdText } from '../../identity/keys.ts'
import { networkIdText } from '../../identity/network-id.ts'
import { isRegistryRole, type Role } from '../../identity/role.ts'
import { defaultPort, nameFromHost } from '../../node/config/defaults.ts'
import { normalDomain } from '../../node/config/domain.ts'
import { parseConfig } from '../../node/config/index.ts'
import { decodeInvite } from '../../registry/objects/invite.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { OperatorError } from '../errors.ts'
import { toMultiaddr } from '../machine/parse-facts.ts'
import type { AdmissionPolicy, Answers, DeploymentName, RootStore, Trust } from '../model/answers.ts'
import { defaultHttp, httpValues, isLoopback } from '../model/http.ts'
import { namesValues } from '../model/names.ts'
import { storeProblem } from '../model/root-store.ts'

/** Answers so far, by flags or by answers to questions. */
export interface Given {
  readonly domain?: string | undefined
  readonly role?: Role | undefined
  readonly name?: string | undefined
  readonly deployment?: DeploymentName | undefined
  readonly image?: string | undefined
  readonly start?: boolean | undefined
  readonly port?: number | undefined
  readonly policy?: AdmissionPolicy | undefined
  readonly rootStore?: string | undefined
  readonly rootStorePasswordFile?: string | undefined
  readonly logKeyFile?: string | undefined
  readonly rootAddress?: string | undefined
  readonly announce?: readonly string[] | undefined
  readonly network?: string | undefined
  readonly invite?: string | undefined
  readonly trustOnFirstUse?: boolean | undefined
  readonly dnsProvider?: string | undefined
  readonly dnsSettings?: Readonly<Record<string, string>> | undefined
  readonly ipv6AutoEnable?: boolean | undefined
  readonly openFirewall?: boolean | undefined
  readonly monitoring?: boolean | undefined
  /** true: at the usual address; false: none. */
  readonly http?: string | boolean | undefined
  readonly names?: boolean | undefined
}

/** A value that has no default, and the flag that gives it. */
export interface Missing {
  readonly flag: string
  readonly what: string
}

const refuseOther = (flag: string, one: string | undefined, other: string | undefined): void => {
  if (one !== undefined && other !== undefined && one !== other)
    throw new OperatorError(
      `${flag} says ${one}, the invite is for ${other}: leave ${flag} out, or ask for another invite.`
    )
}

/** An invite says domain, role and perhaps name: they need not be said again, and must not be said otherwise; one domain has many spellings. */
export const withInvite = (said: Given): Given => {
  const given = said.domain === undefined ? said : { ...said, domain: normalDomain(said.domain) ?? said.domain }
  if (given.invite === undefined) return given
  const { domain, grant } = decodeInvite(given.invite)
  const { role, name } = grant
  refuseOther('--domain', given.domain, domain)
  // The second and third machine that take turns as the root are secondaries to the network.
  const takesTurns = given.role === 'root' && given.rootStore !== undefined && role === 'secondary'
  if (!takesTurns) refuseOther('--role', given.role, role)
  refuseOther('--name', given.name, name)
  return { ...given, domain, role, name: name ?? given.name }
}

/** Lists what has to be said and was not. */
export const missingOf = (given: Given): Missing[] => {
  const missing: Missing[] = []
  if (given.domain === undefined)
    missing.push({ flag: '--domain', what: 'the domain of the network, like example.org' })
  if (
    given.role !== 'root' &&
    given.invite === undefined &&
    given.network === undefined &&
    given.trustOnFirstUse !== true
  ) {
    missing.push({
      flag: '--invite, --network or --trust-on-first-use',
      what: 'what the network is recognised by: a line of `trustnet invite` on its root is best'
    })
  }
  if (given.deployment === 'kubernetes' && given.image === undefined)
    missing.push({ flag: '--image', what: 'an image in a registry that the cluster reaches (docker/build makes one)' })
  return missing
}

const inviteTrust = (line: string): Trust => {
  const { networkId, registries } = decodeInvite(line)
  const pins = registries.map(({ publicKey }) => peerIdText(publicKey))
  return { kind: 'invite', line, networkId: networkIdText(networkId), pins }
}

const trustOf = (given: Given, role: Role): Trust => {
  if (role === 'root') return { kind: 'new' }
  if (given.invite !== undefined) return inviteTrust(given.invite.replaceAll(/\s/g, ''))
  return given.network === undefined ? { kind: 'first-use' } : { kind: 'network', id: given.network }
}

/** All answers, with the defaults for what was not said. @throws OperatorError, ConfigError for values that cannot be */
export const resolveAnswers = (said: Given): Answers => {
  const given = withInvite(said)
  const missing = missingOf(given)
  if (missing.length > 0) {
    throw new OperatorError(missing.map(({ flag, what }) => `${flag} is missing: ${what}.`).join('\n'))
  }
  const role = given.role ?? 'integrated'
  const port = given.port ?? defaultPort(role)
  const answers: Answers = {
    name: given.name ?? nameFromHost(),
    role,
    domain: given.domain ?? '',
    ...containerAnswers(given),
    port,
    trust: trustOf(given, role),
    policy: given.policy ?? 'invite',
    rootAddress: given.rootAddress === undefined ? null : addressOf('--root-registry', given.rootAddress, 8000),
    announce: [...new Set(given.announce?.map((text) => addressOf('--announce', text, port)))],
    dnsProvider: given.dnsProvider ?? 'manual',
    dnsSettings: given.dnsSettings ?? {},
    ipv6AutoEnable: given.ipv6AutoEnable ?? false,
    openFirewall: given.openFirewall ?? false,
    monitoring: given.monitoring ?? false,
    http: httpOf(given, port),
    names: namesOf(given),
    rootStore: rootStoreOf(given, role)
  }
  checkAnswers(answers)
  return answers
}

/** Name and tag or digest, as engines and clusters know it. */
const imageName = /^[a-z0-9]([\w.\-/:@]*[\w])?$/
const maxImageCharacters = 255

const refuse = (text: string): never => {
  throw new OperatorError(text)
}

/** Answers about how it is kept running, and from which image. A cluster is not changed before it is asked for. */
const containerAnswers = (given: Given): Pick<Answers, 'deployment' | 'image' | 'start'> => {
  const { deployment = 'systemd', image = null, start } = given
  const isContainer = deployment === 'docker' || deployment === 'kubernetes'
  if (!isContainer && image !== null)
    refuse(`--image is for --deployment docker and kubernetes, this is ${deployment}.`)
  if (!isContainer && start === false) {
    refuse(`--start=false is for --deployment docker and kubernetes, this is ${deployment}; --plan shows its files.`)
  }
  if (isContainer && given.monitoring === true) {
    refuse(`--monitoring is for a node on this machine, this is ${deployment}: docs/monitoring.md has its files.`)
  }
  if (image !== null && (image.length > maxImageCharacters || !imageName.test(image))) {
    refuse(`--image: '${image}' is no name of an image: write registry.example.org/trustnet:v1.2.3.`)
  }
  return { deployment, image, start: start ?? deployment !== 'kubernetes' }
}

/** A container has no resolver of the machine, and in the foreground nothing takes it back. */
const namesOf = ({ names = false, deployment = 'systemd' }: Given): boolean => {
  if (names && deployment !== 'systemd') refuse(`--names is for --deployment systemd, this is ${deployment}.`)
  return names
}

const rootStoreOf = (given: Given, role: Role): RootStore | null => {
  const { rootStore: url, rootStorePasswordFile: passwordFile = null, logKeyFile = null, deployment } = given
  const extra = passwordFile !== null ? '--root-store-password-file' : logKeyFile !== null && '--log-key'
  if (url === undefined) return extra === false ? null : refuse(`${extra} goes with --root-store.`)
  if (!isRegistryRole(role)) refuse(`--root-store is for a root and for secondaries, this is ${role}.`)
  if ((deployment ?? 'systemd') !== 'systemd')
    refuse(`--root-store is for --deployment systemd, this is ${deployment}: docs/operations.md says what to set.`)
  const store = { url, passwordFile, logKeyFile }
  const problem = storeProblem(store, role === 'root')
  return problem === undefined ? store : refuse(problem)
}

/** Address of the HTTP API; null: there is none. */
const httpOf = ({ http, monitoring = false, deployment }: Given, port: number): string | null => {
  const said = http ?? monitoring
  if (said === false) {
    if (monitoring) refuse('--monitoring reads the HTTP API: leave --http=false out.')
    return null
  }
  if (said === true) return defaultHttp(port)
  const listen = socketAddress(said)
  const { port: own } = socketParts(listen)
  if (own === 0 || own === port) refuse(`--http ${listen}: choose a port of its own, like ${defaultHttp(port)}.`)
  if (isLoopback(listen)) return listen
  if (monitoring) {
    refuse(
      `--monitoring reads without a token, and ${listen} (--http) needs one: leave one of them out; docs/monitoring.md has a job with a token.`
    )
  }
  if (deployment === 'kubernetes') {
    refuse(
      `--http ${listen}: in a pod the HTTP API is on [::1] alone, kubectl port-forward reaches it; more needs a Secret and a NetworkPolicy of your own (docs/install.md).`
    )
  }
  return listen
}

const addressOf = (flag: string, text: string, port: number): string => {
  try {
    return toMultiaddr(text, port)
  } catch (error) {
    throw new OperatorError(`${flag}: ${reasonOf(error)}.`)
  }
}

/** By the rules of the configuration that they will stand in. @throws ConfigError */
export const checkAnswers = (answers: Answers): void => {
  const flags = {
    name: answers.name,
    role: answers.role,
    domain: answers.domain,
    'listen.port': answers.port,
    networkId: answers.trust.kind === 'network' ? answers.trust.id : undefined,
    'bootstrap.rootAddress': answers.rootAddress ?? undefined,
    'announce.addresses': answers.announce.length === 0 ? undefined : answers.announce,
    ...httpValues(answers),
    ...namesValues(answers)
  }
  parseConfig({ flags, env: {} })
}
