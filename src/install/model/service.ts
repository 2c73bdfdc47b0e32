import type { Action } from './action.ts'
import type { Install } from './deployment.ts'

/** Actions for what a process on the machine itself needs, with and without systemd: its user and the folder of its control socket. */
export const serviceFolders = ({ layout }: Install): Action[] => [
  { kind: 'folder', path: layout.runtimeFolder, mode: 0o755, owner: 'root' },
  { kind: 'folder', path: layout.runtime, mode: 0o750, owner: layout.user }
]

/** For a shell: the path $0 is the user's $1, or not there. */
export const hasOwner = 'test ! -e "$0" || test "$(stat -c %U "$0")" = "$1"'

/** The account goes before the folders that it owns. */
export const serviceAccount = ({ layout }: Install): Action => ({
  kind: 'user',
  name: layout.user,
  home: layout.dataFolder
})
