import { existsSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Role } from '../../identity/role.ts'
import { saveConfigValues } from '../../node/config/index.ts'
import { type Homes, homes, socketPath } from '../../node/config/paths.ts'
import { makeFolder } from '../../runtime/make-folder.ts'
import { liveSockets } from '../access/find-running.ts'
import { UsageError } from '../output/exit.ts'
import { endOrphans, makerOf, noteMaker, ownPrefix, removeLeftOvers } from './left-over.ts'
import { freePorts } from './ports.ts'

export const devDomain = 'dev.trustnet.test'

/** Way in which a member of the dev network comes in: it makes it, has an invite, or finds it through tnr under the open policy. */
type Entry = 'founder' | 'invite' | 'tnr'

export interface DevMember {
  name: string
  role: Role
  entry: Entry
  port: number
  /** Port at which others find it: the same port, or that of a relay before it. */
  announcedPort: number
  /** Port of its HTTP API and page. */
  httpPort: number
  configFile: string
  dataFolder: string
  logFile: string
  socket: string
  /** It was a member in an earlier run over the same folder. */
  known: boolean
}

export interface Layout {
  folder: string
  relayed: boolean
  homes: Homes
  members: DevMember[]
  root: DevMember
}

type Planned = Pick<DevMember, 'name' | 'role' | 'entry'>

const planNode = (at: number): Planned => ({
  name: `node-${at + 1}`,
  role: 'integrated',
  entry: at === 0 ? 'invite' : 'tnr'
})

/** One member of each way to come in; more nodes come through tnr. */
const plan = (nodes: number): Planned[] => [
  { name: 'root', role: 'root', entry: 'founder' },
  { name: 'secondary', role: 'secondary', entry: 'invite' },
  ...Array.from({ length: nodes }, (_, at) => planNode(at))
]

const settle = (
  planned: Planned,
  { folder, homes: places }: Pick<Layout, 'folder' | 'homes'>,
  ports: Pick<DevMember, 'port' | 'announcedPort' | 'httpPort'>
): DevMember => {
  const { name } = planned
  const dataFolder = join(places.data, name)
  return {
    ...planned,
    ...ports,
    configFile: join(folder, `${name}.yaml`),
    dataFolder,
    logFile: join(folder, 'log', `${name}.log`),
    socket: socketPath(places.runtime, name),
    known: existsSync(join(dataFolder, 'registry.db'))
  }
}

export interface LayoutInit {
  nodes: number
  dir: string | undefined
  /** Another process stands before each member: it is found at a port that is not its own. */
  relayed?: boolean
}

/** The state folder, new in the temporary folder unless one is given, and what each member is called and where it lives. */
export const layOut = async ({ nodes, dir, relayed = false }: LayoutInit): Promise<Layout> => {
  if (dir === undefined) await removeLeftOvers(tmpdir())
  const folder = dir === undefined ? await mkdtemp(join(tmpdir(), ownPrefix)) : resolve(dir)
  const places = homes({ TRUSTNET_HOME: folder })
  const logs = join(folder, 'log')
  makeNetworkFolder(logs)
  endOrphans(folder)
  await refuseRunning(folder, places.runtime)
  noteMaker(folder)
  const planned = plan(nodes)
  const ports = await freePorts(3 * planned.length)
  const members = planned.map((one, at) => {
    const port = ports[at] ?? 0
    const announcedPort = relayed ? (ports[planned.length + at] ?? 0) : port
    const httpPort = ports[2 * planned.length + at] ?? 0
    return settle(one, { folder, homes: places }, { port, announcedPort, httpPort })
  })
  const [root] = members
  if (root === undefined) throw new RangeError('a network has a root')
  return { folder, homes: places, members, root, relayed }
}

/** Gives the network one node more. */
export const addNode = async (layout: Layout): Promise<DevMember> => {
  const nodes = layout.members.filter(({ role }) => role === 'integrated').length
  const [port = 0, relay = 0, httpPort = 0] = await freePorts(3)
  const announcedPort = layout.relayed ? relay : port
  const member = settle(planNode(nodes), layout, { port, announcedPort, httpPort })
  layout.members.push(member)
  return member
}

export const makeNetworkFolder = (folder: string): void => {
  try {
    makeFolder(folder, 0o700)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new UsageError(`${folder} cannot be made (${why}): choose another folder with --dir.`)
  }
}

/** A second network over the same folder would rewrite the configuration of the first under its feet. */
const refuseRunning = async (folder: string, runtime: string): Promise<void> => {
  const maker = makerOf(folder)
  const first = maker === undefined ? (await liveSockets([runtime]))[0] : `process ${maker}`
  if (first === undefined) return
  throw new UsageError(
    `A network runs in ${folder} already (${first}): stop it first, or choose another folder with --dir.`
  )
}

/** Writes each member's configuration; ports are new in every run, everything else stays. */
export const writeConfigs = (layout: Layout, dnsPort: number): void => {
  for (const member of layout.members) writeConfig(layout, member, dnsPort)
}

export const writeConfig = ({ root }: Layout, member: DevMember, dnsPort: number): void => {
  const { name, role, port, announcedPort, httpPort } = member
  const values: Record<string, unknown> = {
    name,
    role,
    domain: devDomain,
    'listen.host': '::1',
    'listen.port': port,
    'announce.allow': ['loopback'],
    'bootstrap.port': root.announcedPort,
    'bootstrap.dnsServers': [`[::1]:${dnsPort}`],
    'admission.policy': 'open',
    'backup.enabled': false,
    'http.listen': `[::1]:${httpPort}`,
    'logging.format': 'json',
    ...(announcedPort !== port && { 'announce.addresses': [`/ip6/::1/tcp/${announcedPort}`] })
  }
  saveConfigValues(member.configFile, values)
}
