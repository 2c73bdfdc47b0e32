import type { StatusView } from '../../node/api/control-api.ts'
import { configCopyName, rewriteConfigFile } from '../../node/config/index.ts'
import { doable } from '../apply/actions/index.ts'
import { executeAction } from '../apply/execute.ts'
import type { Journal } from '../apply/journal.ts'
import { deploymentOf } from '../deployments/index.ts'
import { InstallError } from '../errors.ts'
import { textOf } from '../machine/files-on-disk.ts'
import type { Action } from '../model/action.ts'
import type { Tools } from '../model/tools.ts'
import { programVersion, type UpgradedNode, type UpgradePlan } from './plan.ts'
import { rollBack } from './roll-back.ts'
import { closeUpgrade, openUpgrade, saveUpgrade, type UpgradeState } from './state.ts'
import { isHealthy, works } from './verify.ts'

export interface UpgradeEvents {
  /** One thing that an operator waits for: its name, and what it ended with. */
  step<T>(title: string, work: () => Promise<T>): Promise<T>
  onAction?(action: Action, state: 'begun' | 'done'): void
}

export interface Upgraded {
  readonly nodes: readonly { readonly name: string; readonly status: StatusView | null }[]
  /** Configurations that were rewritten, and the copies of the old ones. */
  readonly migrated: readonly { readonly file: string; readonly copy: string }[]
  readonly removed: readonly string[]
}

/**
 * The new version beside the old one, `current` moved to it in one step, each service restarted and looked at. One that does not come
 * up takes the whole machine back. Configurations are rewritten only when all of it works, so that the old version can still read them.
 * @throws InstallError
 */
export const upgrade = async (plan: UpgradePlan, tools: Tools, events: UpgradeEvents): Promise<Upgraded> => {
  const state = (await openUpgrade()) ?? (await begin(plan))
  let nodes: Upgraded['nodes']
  try {
    nodes = await replace(plan, state, tools, events)
  } catch (error) {
    // Ctrl-C is no verdict: the same command goes on.
    tools.signal.throwIfAborted()
    const why = messageOf(error)
    await goBack(plan, state, tools, events).catch((second: unknown) => {
      throw new InstallError(`${why} The way back to ${state.from} failed too: ${messageOf(second)}`, { cause: error })
    })
    throw new InstallError(`${why} The machine is back on ${state.from}; ${logs(plan)}`, { cause: error })
  }
  const migrated = await migrate(plan, tools, events)
  const obsolete = plan.obsolete
  for (const { journal } of plan.nodes) await removeVersions(journal, obsolete, tools)
  await closeUpgrade()
  return { nodes, migrated, removed: obsolete }
}

/** The copies are in the journal, so that an uninstall takes them away. */
const migrate = async (
  { migrations, nodes }: UpgradePlan,
  tools: Tools,
  events: UpgradeEvents
): Promise<Upgraded['migrated']> => {
  const migrated: { file: string; copy: string }[] = []
  for (const { file } of migrations) {
    const node = nodes.find(({ plan }) => plan.install.layout.configFile === file)
    if (node === undefined) continue
    const copy = configCopyName(file)
    const text = (await textOf(file)) ?? ''
    const group = node.plan.install.layout.user
    const action = { kind: 'file', path: copy, text, mode: 0o640, owner: 'root', group, once: true } as const
    await executeAction(action, node.journal, tools, events)
    rewriteConfigFile(file)
    migrated.push({ file, copy })
  }
  return migrated
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const begin = async ({ from, to, nodes }: UpgradePlan): Promise<UpgradeState> => {
  const healthy: string[] = []
  for (const { name, plan, restarts } of nodes) if (restarts && (await isHealthy(plan.install))) healthy.push(name)
  const journals = structuredClone(nodes.map(({ journal }) => journal.state))
  const state: UpgradeState = { schemaVersion: 1, from, to, healthy, journals }
  await saveUpgrade(state)
  return state
}

const replace = async (
  { nodes, to }: UpgradePlan,
  { healthy }: UpgradeState,
  tools: Tools,
  events: UpgradeEvents
): Promise<Upgraded['nodes']> => {
  const done: { name: string; status: StatusView | null }[] = []
  await events.step(`Program ${to}`, async () => {
    for (const { journal, plan } of nodes) await carryOut(journal, plan.steps[0]?.actions ?? [], tools, events)
  })
  for (const { journal, name, plan, restarts } of nodes) {
    const status = await events.step(restarts ? `Restart of ${name}` : `Files of ${name}`, async () => {
      const actions = plan.steps.slice(1).flatMap((step) => step.actions)
      await carryOut(journal, restarts ? actions : actions.filter(({ kind }) => kind !== 'foreground'), tools, events)
      const { signal, say } = tools
      if (!restarts) return null
      return await works(plan.install, { version: to, wasHealthy: healthy.includes(name), signal, say })
    })
    journal.state.version = to
    await journal.save()
    done.push({ name, status })
  }
  return done
}

const carryOut = async (
  journal: Journal,
  actions: readonly Action[],
  tools: Tools,
  events: UpgradeEvents
): Promise<void> => {
  for (const action of actions) await executeAction(action, journal, tools, events)
}

const goBack = async (
  { nodes }: UpgradePlan,
  { from, healthy, journals }: UpgradeState,
  tools: Tools,
  events: UpgradeEvents
): Promise<void> => {
  const { signal, say } = tools
  await events.step(`Back to ${from}`, async () => {
    await rollBack(
      nodes.map(({ journal }) => journal),
      journals,
      tools
    )
    for (const { name, plan, restarts } of nodes) {
      if (restarts) await works(plan.install, { version: from, wasHealthy: healthy.includes(name), signal, say })
    }
  })
  await closeUpgrade()
}

const logs = ({ nodes }: UpgradePlan): string =>
  `what it said: ${nodes.flatMap(ownLogs).join(', ') || 'in the log of whoever runs it'}`

const ownLogs = ({ plan: { install }, restarts }: UpgradedNode): string[] =>
  restarts
    ? (deploymentOf(install.answers.deployment)?.commands(install) ?? []).flatMap(({ what, command }) =>
        what === 'Logs' ? [command] : []
      )
    : []

const removeVersions = async (journal: Journal, versions: readonly string[], tools: Tools): Promise<void> => {
  const old = journal.state.entries.filter((entry) => programVersion(entry).some((one) => versions.includes(one)))
  for (const entry of old) {
    await doable(entry.action).revert(entry.undo, tools)
    await journal.forget(entry)
  }
}
