import { isAbsolute } from 'node:path'
import { etcdTarget, isEtcd, ownStore, rootStoreProblem } from '../../node/config/index.ts'
import { dataFiles } from '../../node/config/paths.ts'
import type { Action } from './action.ts'
import type { RootStore } from './answers.ts'
import { type Check, fail } from './check.ts'
import type { Install } from './deployment.ts'
import type { Layout } from './layout.ts'
import type { ProgramSource } from './program.ts'

/** The problem with what was said; undefined: none. */
export const storeProblem = ({ url, passwordFile, logKeyFile }: RootStore, isRoot: boolean): string | undefined => {
  const problem = rootStoreProblem(url)
  if (problem !== undefined) return `--root-store ${problem}.`
  if (url === ownStore) return '--root-store: sqlite is what a root has without it: leave it out.'
  const relative = [passwordFile, logKeyFile].find((file) => file !== null && !isAbsolute(file))
  if (relative !== undefined) return `${relative}: name a file of the operator by its whole path, from / on.`
  if (passwordFile !== null && isEtcd(url))
    return '--root-store-password-file is for PostgreSQL: an etcd knows this machine by its certificate.'
  if (isRoot && logKeyFile !== null)
    return '--log-key is for a machine that is to take the place of the root: a new root makes its own.'
  if (!isRoot && logKeyFile === null)
    return '--log-key is missing: a machine that is to take the place of the root needs a copy of its log key (log.key in the data folder of the root, mode 0600).'
  return undefined
}

/** Lines of the unit: systemd reads the file as root, and the process finds it among its credentials. */
export const credentialLines = (store: RootStore | null | undefined): string =>
  store?.passwordFile == null ? '' : `LoadCredential=trustnet-root-store-password:${store.passwordFile}\n`

/** Fails where the program that is to be copied has no client of PostgreSQL. */
export const rootStoreCheck = (
  store: RootStore | null | undefined,
  program: Pick<ProgramSource, 'carries'>
): Check[] =>
  store == null || isEtcd(store.url) || program.carries('pg')
    ? []
    : [
        fail(
          'root-store',
          'Root store',
          `the running program has no client of PostgreSQL (the package pg)`,
          'npm install -g pg beside trustnet, or install from a release, which has it'
        )
      ]

/** Shell script: writes the file $0 as the user $1 to $2. The service user's folder is written by that user alone. */
const copyAsUser = 'exec setpriv --reuid="$1" --regid="$1" --clear-groups sh -c \'umask 077; cat > "$0"\' "$2" < "$0"'

/** The key of an etcd client becomes the service user's; the log key is copied into its data folder. */
export const rootStoreActions = ({ answers: { rootStore }, layout }: Install): Action[] => {
  if (rootStore == null) return []
  return [...clientKey(rootStore, layout), ...logKey(rootStore, layout)]
}

const clientKey = ({ url }: RootStore, { user }: Layout): Action[] => {
  const target = isEtcd(url) ? etcdTarget(url) : undefined
  if (target === undefined || 'problem' in target) return []
  return [
    {
      kind: 'command',
      what: `${target.key} belongs to ${user}, who connects to the etcd with it`,
      run: ['chown', '--no-dereference', `${user}:${user}`, target.key],
      undo: ['chown', '--no-dereference', 'root:root', target.key],
      isDone: ['sh', '-c', 'test "$(stat -c %U "$0")" = "$1"', target.key, user]
    }
  ]
}

const logKey = ({ logKeyFile }: RootStore, { data, user }: Layout): Action[] => {
  if (logKeyFile === null) return []
  const path = dataFiles(data).logKey
  return [
    {
      kind: 'command',
      what: `${path} is a copy of ${logKeyFile}`,
      run: ['sh', '-c', copyAsUser, logKeyFile, user, path],
      isDone: ['test', '-s', path]
    }
  ]
}
