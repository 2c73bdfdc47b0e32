import { commandCalls } from '../../helpers/commands/command-calls.ts'
import { commandTree } from '../../helpers/commands/command-tree.ts'
import { passphrase, program } from './planted-machine.ts'

const withKit = `TRUSTNET_RECOVERY_PASSPHRASE="${passphrase}"`
const kit = '--kit /root/safe/recovery.kit'
const config = '--config /etc/trustnet/tnr.yaml'
const current = '/opt/trustnet/$(readlink /opt/trustnet/current)'

export interface RootCalls {
  readonly stopped?: readonly string[]
  readonly running?: readonly string[]
}

/** A release in the place of the installed one, as far as the machine knows: the program of this checkout is newer. */
const older = `rm -rf /opt/trustnet/0.0.1 && mv ${current} /opt/trustnet/0.0.1 && ln -sfn 0.0.1 /opt/trustnet/current`
/** Ends with the machine on which it is called. */
export const uninstalls: readonly string[] = ['trustnet uninstall', 'trustnet uninstall --purge']
/** Takes as long as a start of the node, and moves the installed program away first. */
export const upgrade = `${older} && ${program} upgrade`

/** Commands that work on files of the node that does not run, and those which `commandCalls` calls in a way that does not come to files or to the socket. */
const ownCalls: ReadonlyMap<string, RootCalls> = new Map<string, RootCalls>([
  ['identity', { stopped: [`trustnet identity ${config}`], running: [`trustnet identity ${config}`] }],
  ['address', { stopped: [`trustnet address ${config}`], running: [`trustnet address ${config}`] }],
  ['doctor', { stopped: ['trustnet doctor'], running: ['trustnet doctor'] }],
  ['registry verify', { stopped: ['trustnet registry verify'] }],
  [
    'registry backup',
    {
      stopped: ['trustnet registry backup --to /root/safe/out.db'],
      running: ['trustnet registry backup --to /root/safe/out-live.db', 'trustnet registry backup']
    }
  ],
  ['registry restore', { stopped: ['trustnet registry restore /root/safe/backup.db --older'] }],
  [
    'registry promote',
    {
      stopped: [`${withKit} trustnet registry promote ${kit}`, `${withKit} trustnet registry promote --yes`],
      running: [`${withKit} trustnet registry promote ${kit}`]
    }
  ],
  [
    'registry recover',
    { stopped: [`${withKit} trustnet registry recover ${kit} --backup /root/safe/backup.db --yes`] }
  ],
  [
    'authority rotate',
    {
      stopped: [
        `${withKit} trustnet authority rotate --kit /root/safe/next-recovery.kit --to /var/lib/trustnet/tnr/new.kit --yes`
      ]
    }
  ],
  [
    'registry diff',
    {
      stopped: ['trustnet registry diff /root/safe/backup.db'],
      running: ['trustnet registry diff /root/safe/backup.db']
    }
  ],
  ['revoke', { stopped: [`${withKit} trustnet revoke hal ${kit}`], running: ['trustnet revoke hal'] }],
  [
    'registry rotate-log-key',
    {
      running: [
        `${withKit} trustnet registry rotate-log-key ${kit} --yes --wait 1s`,
        `${withKit} trustnet registry rotate-log-key --yes --wait 1s`
      ]
    }
  ],
  [
    'registry move-root',
    {
      stopped: ['trustnet registry move-root --to sqlite --yes'],
      running: ['trustnet registry move-root --to sqlite --yes']
    }
  ],
  ['operator key', { stopped: ['trustnet operator key /root/safe/out-ann.key'] }],
  ['policy edit', { running: ['EDITOR=true trustnet policy edit --yes'] }],
  ['config check', { stopped: ['trustnet config check', `trustnet config check ${config}`] }],
  ['config show', { stopped: ['trustnet config show', `trustnet config show ${config}`] }],
  ['config migrate', { stopped: ['trustnet config migrate /etc/trustnet/tnr.yaml'] }],
  ['dns show', { running: ['trustnet dns show'] }],
  ['dns check', { running: ['trustnet dns check'] }],
  ['dns set', { running: ['trustnet dns set --provider manual'] }],
  ['leave', { running: ['trustnet leave --reason moved'] }],
  ['forward', { running: ['timeout -s INT 3 trustnet forward hal/ssh'] }],
  ['ui', { running: ['trustnet ui'] }],
  ['report', { running: ['trustnet report --output /root/safe/out-report.tar'] }],
  ['wait', { running: ['trustnet wait --timeout 1s --status healthy'] }],
  [
    'join',
    {
      stopped: [`trustnet join /root/safe/invite ${config} --no-start`],
      running: [`trustnet join /root/safe/invite ${config} --no-start`]
    }
  ],
  ['init', { stopped: [`trustnet init ${config}`] }],
  ['node start', { stopped: [`trustnet node start ${config} --stop-with-stdin`] }],
  ['registry start', { stopped: [`trustnet registry start ${config} --stop-with-stdin`] }],
  ['dev', { stopped: ['timeout -s INT 3 trustnet dev --once --nodes 1 --dir /root/safe/out-dev'] }],
  ['drill', { stopped: ['timeout -s INT 3 trustnet drill dns-down'] }],
  ['install', { stopped: ['trustnet install --yes --name tnr'], running: ['trustnet install --yes --name tnr'] }],
  ['upgrade', { stopped: ['trustnet upgrade --plan'], running: [upgrade] }],
  ['uninstall', { stopped: ['trustnet uninstall --plan'] }]
])

/** Every command of the program as root calls it on a machine with a node. A new one that nobody calls here or in `commandCalls` is missed. */
export const rootCommands = async (): Promise<Required<RootCalls> & { missed: string[] }> => {
  const found = { stopped: [] as string[], running: [] as string[], missed: [] as string[] }
  for (const { words, acts } of await commandTree()) {
    const name = words.join(' ')
    const args = commandCalls.get(name)
    const calls = ownCalls.get(name) ?? (args === undefined ? {} : { running: [`trustnet ${name} ${args.join(' ')}`] })
    found.stopped.push(...(calls.stopped ?? []))
    found.running.push(...(calls.running ?? []))
    if (acts && calls.stopped === undefined && calls.running === undefined) found.missed.push(name)
  }
  return found
}
