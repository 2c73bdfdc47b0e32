import type { Action } from './action.ts'
import type { Install } from './deployment.ts'
import { serviceUser } from './layout.ts'

/** What a process on the machine itself needs, with and without systemd: its user and the folder of its control socket. */
export const serviceFolders = ({ layout }: Install): Action[] => [
  { kind: 'folder', path: layout.runtime, mode: 0o750, owner: 'trustnet' }
]

/** The account goes before the folders that it owns. */
export const serviceAccount = ({ layout }: Install): Action => ({
  kind: 'user',
  name: serviceUser,
  home: layout.dataFolder
})
