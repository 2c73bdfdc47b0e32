import { closeSync } from 'node:fs'
import { readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { loadConfig, migrateConfig } from '../../node/config/index.ts'
import { dataFiles } from '../../node/config/paths.ts'
import { checkStoreVersion } from '../../node/offline/read-store.ts'
import type { Journal, JournalEntry } from '../apply/journal.ts'
import { planFor } from '../apply/session.ts'
import { deploymentOf } from '../deployments/index.ts'
import { OperatorError } from '../errors.ts'
import { textOf } from '../machine/files-on-disk.ts'
import { openFile, textAt } from '../machine/open-safely.ts'
import type { Answers } from '../model/answers.ts'
import { layoutOf } from '../model/layout.ts'
import type { Plan } from '../model/plan.ts'

export interface UpgradedNode {
  readonly name: string
  readonly journal: Journal
  readonly plan: Plan
  /** false: somebody else keeps it running, and has to restart it. */
  readonly restarts: boolean
}

/** One program serves all nodes of a machine: they change together. */
export interface UpgradePlan {
  readonly from: string
  readonly to: string
  readonly nodes: readonly UpgradedNode[]
  /** Configurations that are written in an older way, with what changes in them. */
  readonly migrations: readonly { readonly file: string; readonly changes: readonly string[] }[]
  /** Versions that go when the new one works: the one before it stays for the way back. */
  readonly obsolete: readonly string[]
}

/** Version of the program that `current` leads to; undefined: nothing is installed here that way. */
export const installedVersion = async (): Promise<string | undefined> =>
  await readlink(join(layoutOf('').program, 'current')).catch(() => undefined)

/** @throws OperatorError, ConfigError, StoreVersionError for what the other version cannot read: nothing was changed */
export const planUpgrade = async (journals: readonly Journal[], from: string, to: string): Promise<UpgradePlan> => {
  const nodes = journals.filter(ownProgram).map((journal) => upgradedNode(journal, to))
  const open = nodes.filter(({ journal }) => !journal.state.finished)
  if (open.length > 0) {
    const names = open.map(({ name }) => name).join(', ')
    throw new OperatorError(
      `The install of ${names} did not come to its end: run it again with the same version first.`
    )
  }
  for (const { plan } of nodes) checkReadable(plan.install.layout)
  const migrations: { file: string; changes: readonly string[] }[] = []
  for (const { plan } of nodes) {
    const { configFile } = plan.install.layout
    const { changes } = migrateConfig((await textOf(configFile)) ?? '', configFile)
    if (changes.length > 0) migrations.push({ file: configFile, changes })
  }
  const known = new Set(journals.flatMap(({ state }) => state.entries.flatMap(programVersion)))
  return { from, to, nodes, migrations, obsolete: [...known].filter((version) => version !== from && version !== to) }
}

/** A container brings its own program. */
const ownProgram = ({ state }: Journal): boolean => state.entries.some(({ action }) => action.kind === 'program')

export const programVersion = ({ action }: JournalEntry): string[] =>
  action.kind === 'program' ? [action.version] : []

const upgradedNode = (journal: Journal, to: string): UpgradedNode => {
  const { answers, node } = journal.state
  const deployment = deploymentOf(answers.deployment)
  if (deployment === undefined)
    throw new OperatorError(`This version has no deployment ${answers.deployment}, which ${node} was installed with.`)
  const plan = planFor(answers, to, deployment, { ipv6: [], firewall: [], dns: [] })
  return { name: node, journal, plan, restarts: restartsByItself(answers) }
}

/** A container of an image that was named has the version of that image: `--image` brings another. */
const restartsByItself = ({ deployment, start, image }: Answers): boolean =>
  deployment !== 'foreground' && start && image === null

/** An older program must not be started on what a newer one has written. */
const checkReadable = ({ configFile, data }: Plan['install']['layout']): void => {
  // Refuses what is no file of its own, before anything is read by its path.
  textAt(configFile)
  loadConfig({ file: configFile, env: {} })
  const { store } = dataFiles(data)
  const fd = openFile(store)
  if (fd === undefined) return
  try {
    checkStoreVersion(`/proc/self/fd/${fd}`)
  } catch (error) {
    if (error instanceof Error) error.message = error.message.replaceAll(`/proc/self/fd/${fd}`, store)
    throw error
  } finally {
    closeSync(fd)
  }
}
