import { existsSync } from 'node:fs'
import { open, readdir, readFile, statfs } from 'node:fs/promises'
import { release, totalmem } from 'node:os'
import { interfaceAddresses } from '../../address/interfaces.ts'
import { portHolder } from '../../runtime/machine/port-holder.ts'
import type { FirewallFacts, Ipv6Facts, MachineFacts, OsFacts } from '../model/facts.ts'
import {
  parseDisabled,
  parseFirewalld,
  parseGateway,
  parseNftables,
  parseOsRelease,
  parseResolvers,
  parseUfw
} from './parse-facts.ts'
import { runCommand } from './run-command.ts'

const read = async (path: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8')
  } catch {
    // Not on this machine, or not for us: the facts say "unknown".
    return ''
  }
}

/** Output of a program; empty when there is none or it fails. */
const output = async (command: readonly string[], signal: AbortSignal): Promise<string> => {
  try {
    const { code, out } = await runCommand(command, { signal, timeoutMs: 10_000 })
    return code === 0 ? out : ''
  } catch {
    signal.throwIfAborted()
    return ''
  }
}

export interface FactsInit {
  /** Ports whose holder is wanted. */
  readonly ports: readonly number[]
  readonly signal: AbortSignal
  /** True when a cluster is to be asked for its version: its credentials may come from elsewhere. */
  readonly cluster?: boolean
}

/** Reads what this machine is. Changes nothing. */
export const readFacts = async ({ ports, signal, cluster = false }: FactsInit): Promise<MachineFacts> => {
  const [os, ipv6, resolv, diskFreeBytes, firewall, programs] = await Promise.all([
    readOs(),
    readIpv6(),
    read('/etc/resolv.conf'),
    freeBytes('/opt', '/'),
    readFirewall(signal),
    readPrograms(signal, cluster)
  ])
  const holders = ports.flatMap((port): [number, string][] => {
    const holder = portHolder(port)
    return holder === undefined ? [] : [[port, holder]]
  })
  return {
    uid: process.getuid?.() ?? -1,
    os,
    memoryBytes: totalmem(),
    diskFreeBytes,
    // The folder that sd_booted(3) looks for.
    systemd: existsSync('/run/systemd/system'),
    container: existsSync('/.dockerenv') ? 'docker' : existsSync('/run/.containerenv') ? 'podman' : null,
    ipv6,
    resolvers: parseResolvers(resolv),
    ports: new Map(holders),
    firewall,
    programs
  }
}

const readOs = async (): Promise<OsFacts> => {
  const { id, like, name } = parseOsRelease(await read('/etc/os-release'))
  const musl = existsSync('/lib/ld-musl-x86_64.so.1') || existsSync('/lib/ld-musl-aarch64.so.1')
  return {
    platform: process.platform,
    arch: process.arch,
    id,
    like,
    name: name === '' ? process.platform : name,
    kernel: release(),
    libc: musl ? 'musl' : 'glibc'
  }
}

const ipv6Settings = '/proc/sys/net/ipv6'

export const readIpv6 = async (): Promise<Ipv6Facts> => {
  const kernel = existsSync('/proc/net/if_inet6')
  const addresses = kernel ? await interfaceAddresses() : []
  const settings = await Promise.all(
    (await linkNames()).map(async (device): Promise<[string, string]> => {
      return [device, await read(`${ipv6Settings}/conf/${device}/disable_ipv6`)]
    })
  )
  return {
    kernel,
    disabled: parseDisabled(settings),
    writable: await isWritable(`${ipv6Settings}/conf/all/disable_ipv6`),
    addresses,
    gateway: parseGateway(await read('/proc/net/ipv6_route'))
  }
}

const linkNames = async (): Promise<string[]> => await readdir(`${ipv6Settings}/conf`).catch(() => [])

/** Not by its mode: a container may have the whole of /proc/sys read-only. Opening it for writing changes nothing. */
const isWritable = async (path: string): Promise<boolean> => {
  try {
    await (await open(path, 'r+')).close()
    return true
  } catch {
    return false
  }
}

const freeBytes = async (...paths: readonly string[]): Promise<number | null> => {
  for (const path of paths) {
    const found = await statfs(path).catch(() => undefined)
    if (found !== undefined) return found.bavail * found.bsize
  }
  return null
}

const readFirewall = async (signal: AbortSignal): Promise<FirewallFacts> => {
  const ufw = parseUfw(await output(['ufw', 'status'], signal))
  if (ufw !== undefined) return ufw
  if ((await output(['firewall-cmd', '--state'], signal)).includes('running')) {
    return parseFirewalld(await output(['firewall-cmd', '--list-ports'], signal))
  }
  return parseNftables(await output(['nft', '-j', 'list', 'ruleset'], signal))
}

/** Programs that deployments ask for, and how each is asked for its version. */
const wantedPrograms: Readonly<Record<string, readonly string[]>> = {
  systemctl: ['systemctl', '--version'],
  docker: ['docker', 'version', '--format', '{{.Server.Version}}'],
  // The plugin of the client, or the program that was there before it.
  compose: ['sh', '-c', 'docker compose version --short || docker-compose version --short'],
  kubectl: ['kubectl', 'version', '--client', '--output=yaml']
}
const wantedCluster = { cluster: ['kubectl', 'version', '--request-timeout=5s', '--output=yaml'] }

const readPrograms = async (signal: AbortSignal, cluster: boolean): Promise<ReadonlyMap<string, string>> => {
  const found = await Promise.all(
    Object.entries({ ...wantedPrograms, ...(cluster ? wantedCluster : {}) }).map(
      async ([name, command]): Promise<[string, string]> => {
        return [name, (await output(command, signal)).split('\n')[0]?.trim() ?? '']
      }
    )
  )
  return new Map(found.filter(([, version]) => version !== ''))
}
