import { existsSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Role } from '../../identity/role.ts'
import { saveConfigValue } from '../../node/config/index.ts'
import { type Homes, homes, socketPath } from '../../node/config/paths.ts'
import { makeFolder } from '../../runtime/make-folder.ts'
import { liveSockets } from '../access/find-running.ts'
import { UsageError } from '../output/exit.ts'
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
  configFile: string
  dataFolder: string
  logFile: string
  socket: string
  /** It was a member in an earlier run over the same folder. */
  known: boolean
}

export interface Layout {
  folder: string
  homes: Homes
  members: DevMember[]
  root: DevMember
}

/** One member of each way to come in; more nodes come through tnr. */
const plan = (nodes: number): { name: string; role: Role; entry: Entry }[] => [
  { name: 'root', role: 'root', entry: 'founder' },
  { name: 'secondary', role: 'secondary', entry: 'invite' },
  ...Array.from({ length: nodes }, (_, at) => ({
    name: `node-${at + 1}`,
    role: 'integrated' as const,
    entry: at === 0 ? ('invite' as const) : ('tnr' as const)
  }))
]

export interface LayoutInit {
  nodes: number
  dir: string | undefined
  /** Another process stands before each member: it is found at a port that is not its own. */
  relayed?: boolean
}

/** The state folder, new in the temporary folder unless one is given, and what each member is called and where it lives. */
export const layOut = async ({ nodes, dir, relayed = false }: LayoutInit): Promise<Layout> => {
  const folder = dir === undefined ? await mkdtemp(join(tmpdir(), 'trustnet-dev-')) : resolve(dir)
  const places = homes({ TRUSTNET_HOME: folder })
  const logs = join(folder, 'log')
  makeNetworkFolder(logs)
  await refuseRunning(folder, places.runtime)
  const planned = plan(nodes)
  const ports = await freePorts(2 * planned.length)
  const members = planned.map((one, at): DevMember => {
    const dataFolder = join(places.data, one.name)
    const port = ports[at] ?? 0
    return {
      ...one,
      port,
      announcedPort: relayed ? (ports[planned.length + at] ?? 0) : port,
      configFile: join(folder, `${one.name}.yaml`),
      dataFolder,
      logFile: join(logs, `${one.name}.log`),
      socket: socketPath(places.runtime, one.name),
      known: existsSync(join(dataFolder, 'registry.db'))
    }
  })
  const [root] = members
  if (root === undefined) throw new RangeError('a network has a root')
  return { folder, homes: places, members, root }
}

const makeNetworkFolder = (folder: string): void => {
  try {
    makeFolder(folder, 0o700)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new UsageError(`${folder} cannot be made (${why}): choose another folder with --dir.`)
  }
}

/** A second network over the same folder would rewrite the configuration of the first under its feet. */
const refuseRunning = async (folder: string, runtime: string): Promise<void> => {
  const [first] = await liveSockets([runtime])
  if (first === undefined) return
  throw new UsageError(
    `A network runs in ${folder} already (${first} answers): stop it first, or choose another folder with --dir.`
  )
}

/** Writes each member's configuration; ports are new in every run, everything else stays. */
export const writeConfigs = (layout: Layout, dnsPort: number): void => {
  for (const member of layout.members) {
    const { name, role, port, announcedPort } = member
    const values: Record<string, unknown> = {
      name,
      role,
      domain: devDomain,
      'listen.host': '::1',
      'listen.port': port,
      'announce.allow': ['loopback'],
      'bootstrap.port': layout.root.announcedPort,
      'bootstrap.dnsServers': [`[::1]:${dnsPort}`],
      'admission.policy': 'open',
      'backup.enabled': false,
      'logging.format': 'json',
      ...(announcedPort !== port && { 'announce.addresses': [`/ip6/::1/tcp/${announcedPort}`] })
    }
    for (const [key, value] of Object.entries(values)) saveConfigValue(member.configFile, key, value)
  }
}
