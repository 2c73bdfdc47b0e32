import { isRegistryRole } from '../../identity/role.ts'
import type { Action } from '../model/action.ts'
import type { Deployment, Install } from '../model/deployment.ts'
import { httpActions } from '../model/http.ts'
import type { Plan, PlanStep } from '../model/plan.ts'
import { stepTitles } from '../model/plan.ts'
import { rootStoreActions } from '../model/root-store.ts'
import { serviceAccount } from '../model/service.ts'
import { monitoringActions } from '../monitoring/actions.ts'
import { configText } from './config-file.ts'
import { configValues } from './config-values.ts'

/** Actions before the steps proper, from what was found on the machine. */
export interface PlanExtras {
  /** Turns IPv6 on; empty: it is. */
  readonly ipv6: readonly Action[]
  /** Opens the port; empty: nothing closes it, or it is not to be touched. */
  readonly firewall: readonly Action[]
  /** Writes the record, once the registry runs; empty: it is there, or an operator writes it. */
  readonly dns: readonly Action[]
}

/** Pure: the same answers give the same plan. */
export const buildPlan = (install: Install, deployment: Deployment, extras: PlanExtras): Plan => {
  const { answers } = install
  if (deployment.isElsewhere === true) return planElsewhere(install, deployment, extras)
  const isRegistry = isRegistryRole(answers.role)
  const setUp = [...(deployment.rest?.(install) ?? []), ...configuration(install)]
  const start = deployment.start(install)
  const monitoring = answers.monitoring === true ? monitoringActions(install) : []
  const elsewhere = 'nothing to do: no registry of its own on this machine'
  const inNode =
    answers.role === 'external' ? elsewhere : 'part of the node: an integrated registry runs in its process'
  const alone = 'nothing to do: a registry alone, no node'
  const contents: readonly Omit<PlanStep, 'title'>[] = [
    { actions: [...extras.ipv6, ...programActions(install)], note: null },
    isRegistry ? { actions: setUp, note: null } : { actions: [], note: inNode },
    { actions: [...deployment.files(install), ...extras.firewall, ...monitoring], note: null },
    isRegistry
      ? { actions: [...start, ...(answers.role === 'root' ? extras.dns : [])], note: null }
      : { actions: [], note: inNode },
    isRegistry ? { actions: [], note: alone } : { actions: setUp, note: null },
    isRegistry ? { actions: [], note: alone } : { actions: start, note: null },
    // A second registry is named only when it was seen to work.
    answers.start ? { actions: answers.role === 'root' ? [] : extras.dns, note: null } : nothingToLookAt
  ]
  return titled(install, contents)
}

const titled = (install: Install, contents: readonly Omit<PlanStep, 'title'>[]): Plan => ({
  install,
  steps: contents.map((content, index) => ({ title: stepTitles[index] ?? '', ...content }))
})

const nothingToLookAt: Omit<PlanStep, 'title'> = { actions: [], note: 'nothing to look at: it is not started' }

const none = (note: string): Omit<PlanStep, 'title'> => ({ actions: [], note })

/** This machine keeps nothing but the files that describe the node. */
const planElsewhere = (install: Install, deployment: Deployment, extras: PlanExtras): Plan => {
  const { role, start } = install.answers
  const isRegistry = isRegistryRole(role)
  const run = { actions: deployment.start(install), note: null }
  const other = none(isRegistry ? 'nothing to do: a registry alone, no node' : 'part of the node, or none of its own')
  return titled(install, [
    none('nothing to do: the program is in the image'),
    none('among the files of the next step'),
    { actions: deployment.files(install), note: null },
    isRegistry ? run : other,
    none('among the files of step 3'),
    isRegistry ? other : run,
    start ? { actions: extras.dns, note: null } : nothingToLookAt
  ])
}

const programActions = (install: Install): Action[] => {
  const { layout, version } = install
  return [
    // The folder of all versions: it goes last.
    { kind: 'folder', path: layout.program, mode: 0o755, owner: 'root' },
    { kind: 'program', version, folder: `${layout.program}/${version}` },
    { kind: 'link', path: `${layout.program}/current`, target: version },
    { kind: 'link', path: layout.link, target: layout.command },
    { kind: 'link', path: layout.manPage.link, target: layout.manPage.target },
    serviceAccount(install),
    // Root's, so that nobody leads root elsewhere by a link in the place of a node's file or folder.
    { kind: 'folder', path: layout.configFolder, mode: 0o755, owner: 'root' },
    { kind: 'folder', path: layout.dataFolder, mode: 0o755, owner: 'root' }
  ]
}

const configuration = (install: Install): Action[] => {
  const { answers, layout } = install
  const inviteFile = `${layout.data}/invite`
  const paths = { 'paths.data': layout.data, 'paths.runtime': layout.runtime }
  const actions: Action[] = [
    { kind: 'data', path: layout.data, owner: layout.user },
    {
      kind: 'file',
      path: layout.configFile,
      text: configText(answers.name, { ...configValues(answers, inviteFile), ...paths }),
      mode: 0o640,
      owner: 'root',
      group: layout.user,
      once: true,
      pinned: paths
    },
    ...httpActions(install),
    ...rootStoreActions(install)
  ]
  const { trust } = answers
  if (trust.kind === 'new') actions.push({ kind: 'network', configFile: layout.configFile, data: layout.data })
  if (trust.kind === 'invite') {
    actions.push({
      kind: 'file',
      path: inviteFile,
      text: `${trust.line}\n`,
      mode: 0o600,
      owner: layout.user,
      secret: true
    })
  }
  return actions
}
