import { join } from 'node:path'
import { instanceOf, machineRuntime, socketPath } from '../../node/config/paths.ts'

/** Paths of everything of one node on a machine that it was installed on. */
export interface Layout {
  /** `/opt/trustnet`: one folder per version, and `current`. */
  readonly program: string
  /** Command that units and people run. */
  readonly command: string
  readonly link: string
  /** Page of man(1), where it is looked for, and where the program has it. */
  readonly manPage: { readonly link: string; readonly target: string }
  readonly configFolder: string
  readonly configFile: string
  /** Token of its HTTP API, in a folder of root's. */
  readonly httpToken: string
  readonly dataFolder: string
  readonly data: string
  /** Folder of all nodes: root's, so that nobody puts a folder or a socket in the place of another. */
  readonly runtimeFolder: string
  readonly runtime: string
  readonly socket: string
  readonly journal: string
  readonly unit: string
  readonly unitFile: string
  /** User and group of this node alone: one that was taken over has nothing of another. */
  readonly user: string
}

/** The user that all nodes of a machine shared in older versions. */
export const sharedUser = 'trustnet'

export const programFolder = '/opt/trustnet'
/** Path of the manual page below a prefix, as in a release. */
export const manPagePath = 'share/man/man1/trustnet.1'
const configFolder = '/etc/trustnet'
const dataFolder = '/var/lib/trustnet'

/** Journals of all installs of this machine, one file per node. */
export const journalFolder = '/var/lib/trustnet-install'

export const layoutOf = (name: string): Layout => ({
  program: programFolder,
  command: join(programFolder, 'current/bin/trustnet'),
  link: '/usr/local/bin/trustnet',
  manPage: {
    link: join('/usr/local', manPagePath),
    target: join(programFolder, 'current', manPagePath)
  },
  configFolder,
  configFile: join(configFolder, `${name}.yaml`),
  httpToken: join(configFolder, `${name}.http-token`),
  dataFolder,
  data: join(dataFolder, name),
  runtimeFolder: machineRuntime,
  runtime: join(machineRuntime, instanceOf(name)),
  socket: socketPath(join(machineRuntime, instanceOf(name)), name),
  journal: join(journalFolder, `${name}.json`),
  unit: `trustnet-${name}.service`,
  unitFile: `/etc/systemd/system/trustnet-${name}.service`,
  user: `trustnet-${instanceOf(name)}`
})
