import { readFile } from 'node:fs/promises'
import { InstallError } from '../../errors.ts'
import { textOf } from '../../machine/files-on-disk.ts'
import { succeeds } from '../../machine/run-command.ts'
import type { CommandAction, SysctlAction, UserAction } from '../../model/action.ts'
import type { Tools } from '../../model/tools.ts'
import { fileKind } from './files.ts'
import type { Kind } from './kind.ts'
import { endProcesses } from './processes.ts'

const hasAccount = async (table: string, name: string): Promise<boolean> =>
  (await textOf(table))?.split('\n').some((line) => line.startsWith(`${name}:`)) ?? false

/** @throws InstallError with what the program said */
export const must = async (
  tools: Pick<Tools, 'run'>,
  command: readonly string[],
  timeoutMs?: number
): Promise<void> => {
  const { code, out, err } = await tools.run(command, timeoutMs === undefined ? {} : { timeoutMs })
  if (code === 0) return
  const said = (err.trim() || out.trim()).split('\n').slice(-5).join('; ')
  throw new InstallError(`${command.join(' ')} ended with ${code}: ${said || 'it said nothing'}.`)
}

const shadowTools = (name: string, home: string): string[] => [
  'useradd',
  '--system',
  '--user-group',
  '--no-create-home',
  '--home-dir',
  home,
  '--shell',
  '/usr/sbin/nologin',
  name
]
/** Alpine's own. */
const busyboxTools = (name: string, home: string): string[] => [
  'adduser',
  '-S',
  '-D',
  '-H',
  '-h',
  home,
  '-s',
  '/sbin/nologin',
  '-G',
  name,
  name
]

export const userKind: Kind<UserAction> = {
  describe: ({ name, home }) => ({ text: `system user and group ${name}, without a shell, home ${home}`, lines: [] }),
  before: async ({ name }) => ({
    user: await hasAccount('/etc/passwd', name),
    group: await hasAccount('/etc/group', name)
  }),
  apply: async ({ name, home }, tools) => {
    if (await hasAccount('/etc/passwd', name)) return
    if (await succeeds(tools.run(['useradd', '--help']))) return await must(tools, shadowTools(name, home))
    if (!(await hasAccount('/etc/group', name))) await must(tools, ['addgroup', '-S', name])
    await must(tools, busyboxTools(name, home))
  },
  revert: async ({ name }, { user, group }, tools) => {
    if (user === false) await endProcesses(name)
    const shadow = await succeeds(tools.run(['userdel', '--help']))
    if (user === false && (await hasAccount('/etc/passwd', name)))
      await must(tools, [shadow ? 'userdel' : 'deluser', name])
    if (group === false && (await hasAccount('/etc/group', name)))
      await must(tools, [shadow ? 'groupdel' : 'delgroup', name])
  }
}

const sysctlPath = (name: string): string => `/proc/sys/${name.replaceAll('.', '/')}`

const sysctlText = ({ values }: SysctlAction): string =>
  `# Written by trustnet install: TrustNet needs IPv6.\n${Object.entries(values)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('')}`

const asFile = (action: SysctlAction) =>
  ({ kind: 'file', path: action.path, text: sysctlText(action), mode: 0o644, owner: 'root' }) as const

export const sysctlKind: Kind<SysctlAction> = {
  describe: (action) => ({
    text: `kernel settings, now and in ${action.path}`,
    lines: Object.entries(action.values).map(([name, value]) => `${name} = ${value}`)
  }),
  before: async (action, tools) => {
    const values = await Promise.all(
      Object.keys(action.values).map(async (name) => {
        const now = (await readFile(sysctlPath(name), 'utf8')).trim()
        return `${name}=${now}`
      })
    )
    return { ...(await fileKind.before(asFile(action), tools)), values }
  },
  apply: async (action, tools, undo) => {
    await fileKind.apply(asFile(action), tools, undo)
    for (const [name, value] of Object.entries(action.values))
      await must(tools, ['sysctl', '-q', '-w', `${name}=${value}`])
  },
  revert: async (action, undo, tools) => {
    await fileKind.revert(asFile(action), undo, tools)
    const { values } = undo
    for (const pair of Array.isArray(values) ? values : []) await must(tools, ['sysctl', '-q', '-w', String(pair)])
  }
}

export const commandKind: Kind<CommandAction> = {
  describe: ({ what, run }) => ({ text: what, lines: [run.join(' ')] }),
  before: async ({ isDone }, tools) => ({ done: isDone !== undefined && (await succeeds(tools.run(isDone))) }),
  apply: async ({ run, isDone, timeoutMs }, tools) => {
    if (isDone !== undefined && (await succeeds(tools.run(isDone)))) return
    await must(tools, run, timeoutMs)
  },
  revert: async ({ undo: command, purge, timeoutMs }, { done }, tools) => {
    if (done === true) return
    if (command !== undefined) await must(tools, command, timeoutMs)
    if (purge === undefined) return
    if (tools.purge) await must(tools, purge.run, timeoutMs)
    else tools.tell(purge.kept)
  }
}
