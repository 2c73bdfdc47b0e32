import type { Role } from '../../identity/role.ts'

/** Ways to keep the process running. `systemd` is a service; `foreground` runs it under whoever runs the installer. */
export const deploymentNames = ['systemd', 'foreground', 'docker', 'kubernetes'] as const
export type DeploymentName = (typeof deploymentNames)[number]

/** Trust that the first contact is judged by. A root makes a network of its own. */
export type Trust =
  | { readonly kind: 'new' }
  /** The line holds the seed of a one-time key: it is kept in files of mode 0600 alone. */
  | {
      readonly kind: 'invite'
      readonly line: string
      /** Network id that the line says in the open, which is still known when the line is not kept any more. */
      readonly networkId: string
      readonly pins: readonly string[]
    }
  | { readonly kind: 'network'; readonly id: string }
  | { readonly kind: 'first-use' }

export const admissionPolicies = ['invite', 'approve', 'open'] as const
export type AdmissionPolicy = (typeof admissionPolicies)[number]

/** Engine that keeps the log of the root, and files of the operator that this machine needs for it. */
export interface RootStore {
  /** Value of `root.store`: no secret. */
  readonly url: string
  /** File with the password, which systemd reads at each start and gives to the service alone. */
  readonly passwordFile: string | null
  /** Copy of the root's log key, for a machine that is to take its place. */
  readonly logKeyFile: string | null
}

/** All that the installer has to be told: the wizard asks for it, flags give it, and the rest follows from it. */
export interface Answers {
  readonly name: string
  readonly role: Role
  readonly domain: string
  readonly deployment: DeploymentName
  /** Image of containers; null: the one of this version, which is built here when it is not there. */
  readonly image: string | null
  /** false: files alone, and the commands that start it are shown. */
  readonly start: boolean
  readonly port: number
  readonly trust: Trust
  /** Policy of who is let in; a root's only. */
  readonly policy: AdmissionPolicy
  /** Multiaddr of the root, when DNS is not to be asked for it. */
  readonly rootAddress: string | null
  /** Multiaddrs to announce; empty: the stable addresses of the interfaces, followed when they change. */
  readonly announce: readonly string[]
  /** Name of the provider that writes the `tnr` record; `manual` prints what is to be entered. */
  readonly dnsProvider: string
  /** For the provider: profile, zone, server. Never a secret. */
  readonly dnsSettings: Readonly<Record<string, string>>
  readonly ipv6AutoEnable: boolean
  readonly openFirewall: boolean
  /** Files for Prometheus and Grafana, and the HTTP server that they read. */
  readonly monitoring?: boolean
  /** Address and port of the HTTP API; null, or in journals of before: none but what the monitoring needs. */
  readonly http?: string | null
  /** systemd-resolved asks this node for names of members. */
  readonly names?: boolean
  /** Engine that keeps the log of the root; null, or in journals of before: its own store. */
  readonly rootStore?: RootStore | null
}
