export interface FolderAction {
  readonly kind: 'folder'
  readonly path: string
  readonly mode: number
  /** Name of a user, whose own group it gets too. */
  readonly owner: string
  /** True for a folder of another program: one that is there keeps its owner and mode. */
  readonly foreign?: boolean
}

export interface FileAction {
  readonly kind: 'file'
  readonly path: string
  readonly text: string
  readonly mode: number
  /** Name of a user, whose own group it gets too unless another is named. */
  readonly owner: string
  /** Name of a user whose own group may read it. */
  readonly group?: string
  /** The text is never shown, and is taken out of the journal when the install is done. */
  readonly secret?: boolean
  /** True when what others write into it later stays (a configuration to which the program saves a port): it is made once. */
  readonly once?: boolean
  /** Keys of a configuration that are the installer's also when the file was there: root goes where they lead. */
  readonly pinned?: Readonly<Record<string, string>>
  /** Marks that are filled in only when it is carried out: `@UID@` and `@GID@` of that user, `@PASSPHRASE@` of the recovery kit, `@TOKEN@` that nobody guesses. */
  readonly filled?: true | string
}

export interface LinkAction {
  readonly kind: 'link'
  readonly path: string
  readonly target: string
}

/** Keys and database of one node: removed by `uninstall --purge` alone. */
export interface DataAction {
  readonly kind: 'data'
  readonly path: string
  /** Name of the node's own user. Older versions had one user for all nodes, and do not say so. */
  readonly owner?: string
}

/** A system user without a shell, with a group of its own. */
export interface UserAction {
  readonly kind: 'user'
  readonly name: string
  readonly home: string
}

/** The program of one version, with its Node and its dependencies. */
export interface ProgramAction {
  readonly kind: 'program'
  readonly version: string
  readonly folder: string
}

/** Kernel settings, in force at once and after a reboot. */
export interface SysctlAction {
  readonly kind: 'sysctl'
  readonly path: string
  readonly values: Readonly<Record<string, string>>
}

/** The genesis, keys and recovery kit of a new network, in the data folder of its root. */
export interface NetworkAction {
  readonly kind: 'network'
  readonly configFile: string
  readonly data: string
}

/** A command of the system (systemctl, ufw, docker …) and the one that takes it back. */
export interface CommandAction {
  readonly kind: 'command'
  /** Change that it makes, for people and as its identity: "service trustnet-hal is enabled". */
  readonly what: string
  readonly run: readonly string[]
  readonly undo?: readonly string[]
  /** Runs on `uninstall --purge` alone; otherwise `kept` is told. */
  readonly purge?: { readonly run: readonly string[]; readonly kept: string }
  /** Exits with 0 when the change is there already. */
  readonly isDone?: readonly string[]
  readonly timeoutMs?: number
}

/** Runs the node under the installer itself. */
export interface ForegroundAction {
  readonly kind: 'foreground'
  readonly node: string
  /** Name of the node's own user. Older versions had one user for all nodes, and do not say so. */
  readonly user?: string
  readonly command: readonly string[]
  readonly socket: string
}

/** Adds one value to a record with a provider of src/dns. */
export interface DnsAction {
  readonly kind: 'dns'
  readonly provider: string
  /** Profile, server, name of a key file: nothing secret. */
  readonly settings: Readonly<Record<string, string>>
  readonly record: { readonly name: string; readonly type: 'AAAA'; readonly ttlSeconds: number; readonly value: string }
}

/** Entries in the configuration of the Prometheus of this machine, which reads it anew. */
export interface PrometheusAction {
  readonly kind: 'prometheus'
  readonly path: string
  /** File of alert rules. */
  readonly rules: string
  /** Files of targets. */
  readonly targets: string
}

/**
 * Everything the installer can change. An action is data: the plan shows it, the journal keeps it, and its kind knows how to do
 * it, how often one likes, and how to take it back.
 */
export type Action =
  | FolderAction
  | FileAction
  | LinkAction
  | DataAction
  | UserAction
  | ProgramAction
  | SysctlAction
  | NetworkAction
  | CommandAction
  | ForegroundAction
  | DnsAction
  | PrometheusAction

/** Two nodes on one machine that need the same thing have it once: actions with one key are the same thing. */
export const actionKey = (action: Action): string => {
  switch (action.kind) {
    case 'folder':
    case 'file':
    case 'link':
    case 'data':
    case 'sysctl':
    case 'prometheus':
      return `${action.kind} ${action.path}`
    case 'user':
      return `user ${action.name}`
    case 'program':
      return `program ${action.version}`
    case 'network':
      return `network ${action.data}`
    case 'command':
      return `command ${action.what}`
    case 'foreground':
      return `foreground ${action.node}`
    default:
      return `dns ${action.record.name} ${action.record.value}`
  }
}
