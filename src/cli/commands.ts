import type { AddCommand } from './output/context.ts'

type Load = () => Promise<AddCommand>

const invite: Load = async () => (await import('./network/invite.ts')).addInvite
const identity: Load = async () => (await import('./peers/identity.ts')).addIdentity
const completion: Load = async () => (await import('./output/completion.ts')).completionOf(commandWords)

/** Every command by its first word, in the order of the help. Each is loaded only when it is called: loading all of them takes longer than most of them work. */
const loaders: ReadonlyMap<string, Load> = new Map([
  ['dev', async () => (await import('./dev/command.ts')).addDev],
  ['drill', async () => (await import('./drill/command.ts')).addDrill],
  ['install', async () => (await import('./install/command.ts')).addInstall],
  ['upgrade', async () => (await import('./install/upgrade.ts')).addUpgrade],
  ['uninstall', async () => (await import('./install/uninstall.ts')).addUninstall],
  ['doctor', async () => (await import('./status/doctor.ts')).addDoctor],
  ['init', async () => (await import('./network/init.ts')).addInit],
  ['node', async () => (await import('./network/start.ts')).addNode],
  ['registry', async () => (await import('./registry/registry.ts')).addRegistry],
  ['status', async () => (await import('./status/status.ts')).addStatus],
  ['ui', async () => (await import('./status/ui.ts')).addUi],
  ['peers', async () => (await import('./peers/peers.ts')).addPeers],
  ['ping', async () => (await import('./peers/ping.ts')).addPing],
  ['events', async () => (await import('./status/events.ts')).addEvents],
  ['topology', async () => (await import('./peers/topology.ts')).addTopology],
  ['export', async () => (await import('./export/command.ts')).addExport],
  ['report', async () => (await import('./report/report.ts')).addReport],
  ['log-level', async () => (await import('./status/log-level.ts')).addLogLevel],
  ['lookup', async () => (await import('./peers/lookup.ts')).addLookup],
  ['identity', identity],
  ['why', identity],
  ['address', async () => (await import('./peers/address.ts')).addAddress],
  ['invite', invite],
  ['leave', invite],
  ['policy', async () => (await import('./network/policy.ts')).addPolicy],
  ['join', async () => (await import('./network/join.ts')).addJoin],
  ['member', async () => (await import('./network/member.ts')).addMember],
  ['operator', async () => (await import('./network/operator.ts')).addOperator],
  ['document', async () => (await import('./document/command.ts')).addDocument],
  ['store', async () => (await import('./store/command.ts')).addStore],
  ['service', async () => (await import('./service/command.ts')).addService],
  ['maintenance', async () => (await import('./service/maintenance.ts')).addMaintenance],
  ['expose', async () => (await import('./forward/command.ts')).addExpose],
  ['forward', async () => (await import('./forward/command.ts')).addForward],
  ['revoke', async () => (await import('./registry/revoke.ts')).addRevoke],
  ['authority', async () => (await import('./registry/authority.ts')).addAuthority],
  ['dns', async () => (await import('./dns/command.ts')).addDns],
  ['reload', async () => (await import('./network/reload.ts')).addReload],
  ['wait', async () => (await import('./status/wait.ts')).addWait],
  ['config', async () => (await import('./network/config.ts')).addConfig],
  ['version', async () => (await import('./output/version.ts')).addVersion],
  ['completion', completion],
  ['man', async () => (await import('./output/man-page.ts')).addMan],
  ['complete', completion]
])

export const commandWords: readonly string[] = [...loaders.keys()]

/** The commands that a command line needs: all of them for help, the manual page, and where its first word is none. */
export const loadCommands = async (argv: readonly string[]): Promise<readonly AddCommand[]> => {
  if (argv[0] === '--version' || argv[0] === '-V') return []
  const [first, ...rest] = argv.filter((word) => !word.startsWith('-'))
  const one = first === 'man' ? undefined : loaders.get(first ?? '')
  const completed = first === 'complete' ? loaders.get(rest[0] ?? '') : undefined
  const wanted = one === undefined ? loaders.values() : [one, ...(completed === undefined ? [] : [completed])]
  return await Promise.all([...new Set(wanted)].map(async (load) => await load()))
}
