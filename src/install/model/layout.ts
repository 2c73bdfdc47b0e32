import { join } from 'node:path'

/** Where everything of one node is on a machine that it was installed on. */
export interface Layout {
  /** `/opt/trustnet`: one folder per version, and `current`. */
  readonly program: string
  /** What units and people run. */
  readonly command: string
  readonly link: string
  readonly configFolder: string
  readonly configFile: string
  readonly dataFolder: string
  readonly data: string
  readonly runtime: string
  readonly socket: string
  readonly journal: string
  readonly unit: string
  readonly unitFile: string
}

/** The user that nodes run as. */
export const serviceUser = 'trustnet'

const programFolder = '/opt/trustnet'
const configFolder = '/etc/trustnet'
const dataFolder = '/var/lib/trustnet'
const runtimeFolder = '/run/trustnet'

/** Journals of all installs of this machine, one file per node. */
export const journalFolder = '/var/lib/trustnet-install'

export const layoutOf = (name: string): Layout => ({
  program: programFolder,
  command: join(programFolder, 'current/bin/trustnet'),
  link: '/usr/local/bin/trustnet',
  configFolder,
  configFile: join(configFolder, `${name}.yaml`),
  dataFolder,
  data: join(dataFolder, name),
  runtime: runtimeFolder,
  socket: join(runtimeFolder, `${name}.sock`),
  journal: join(journalFolder, `${name}.json`),
  unit: `trustnet-${name}.service`,
  unitFile: `/etc/systemd/system/trustnet-${name}.service`
})
