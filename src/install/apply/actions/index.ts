import type { Action } from '../../model/action.ts'
import type { Tools } from '../../model/tools.ts'
import { dnsKind } from './dns.ts'
import { dataKind, fileKind, folderKind, linkKind } from './files.ts'
import { foregroundKind } from './foreground.ts'
import type { Change, Kind, Undo } from './kind.ts'
import { networkKind } from './network.ts'
import { programKind } from './program.ts'
import { prometheusKind } from './prometheus.ts'
import { commandKind, sysctlKind, userKind } from './system.ts'

export type { Change, Undo } from './kind.ts'

/** An action with what its kind can do. */
export interface Doable {
  describe(): Change
  before(tools: Tools): Promise<Undo>
  apply(tools: Tools, undo: Undo): Promise<void>
  revert(undo: Undo, tools: Tools): Promise<void>
}

const bind = <A extends Action>(kind: Kind<A>, action: A): Doable => ({
  describe: () => kind.describe(action),
  before: (tools) => kind.before(action, tools),
  apply: (tools, undo) => kind.apply(action, tools, undo),
  revert: (undo, tools) => kind.revert(action, undo, tools)
})

export const doable = (action: Action): Doable => {
  switch (action.kind) {
    case 'folder':
      return bind(folderKind, action)
    case 'file':
      return bind(fileKind, action)
    case 'link':
      return bind(linkKind, action)
    case 'data':
      return bind(dataKind, action)
    case 'user':
      return bind(userKind, action)
    case 'program':
      return bind(programKind, action)
    case 'sysctl':
      return bind(sysctlKind, action)
    case 'network':
      return bind(networkKind, action)
    case 'command':
      return bind(commandKind, action)
    case 'prometheus':
      return bind(prometheusKind, action)
    case 'foreground':
      return bind(foregroundKind, action)
    default:
      return bind(dnsKind, action)
  }
}
