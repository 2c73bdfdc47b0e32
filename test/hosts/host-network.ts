import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hungMs } from '../helpers/ceiling.ts'

/** Why network namespaces cannot be made here; undefined: they can. */
export function whyNoNamespaces(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root'
  const probe = `tnprobe${process.pid}`
  try {
    execFileSync('ip', ['netns', 'add', probe], { stdio: 'pipe' })
    execFileSync('ip', ['netns', 'del', probe], { stdio: 'pipe' })
    execFileSync('knotd', ['--version'], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return `needs ip netns and knotd: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`
  }
}

export interface Host {
  name: string
  namespace: string
  address: string
  folder: string
}

const subnet = 'fd10:7a11:5e7:1'
/** Interface names have 15 characters at most; the pid keeps two runs on one machine apart. */
const tag = (process.pid % 100_000).toString(36)

/** IPv6-only machines: one network namespace each, on a bridge that has a namespace of its own. */
export class HostNetwork {
  readonly folder = mkdtempSync(join(tmpdir(), 'trustnet-hosts-'))
  readonly hosts: Host[] = []
  /** Holds the bridge, and the other end of every cable. */
  readonly switchNamespace = `tn${tag}sw`
  readonly #running = new Set<ChildProcess>()

  constructor(names: string[]) {
    ip('netns', 'add', this.switchNamespace)
    ip('-n', this.switchNamespace, 'link', 'set', 'lo', 'up')
    ip(
      '-n',
      this.switchNamespace,
      'link',
      'add',
      'br0',
      'type',
      'bridge',
      'forward_delay',
      '0',
      'stp_state',
      '0',
      'mcast_snooping',
      '0'
    )
    ip('-n', this.switchNamespace, 'link', 'set', 'br0', 'up')
    for (const [index, name] of names.entries()) this.#add(name, index + 1)
  }

  #add(name: string, number: number): void {
    const namespace = `tn${tag}${name}`
    const address = `${subnet}::${number.toString(16)}`
    const folder = join(this.folder, name)
    mkdirSync(folder, { mode: 0o700 })
    ip('netns', 'add', namespace)
    this.hosts.push({ name, namespace, address, folder })
    ip('-n', namespace, 'link', 'set', 'lo', 'up')
    ip('-n', namespace, '-4', 'addr', 'flush', 'dev', 'lo')
    ip(
      'link',
      'add',
      `v${tag}${number}`,
      'netns',
      this.switchNamespace,
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      namespace
    )
    ip('-n', this.switchNamespace, 'link', 'set', `v${tag}${number}`, 'master', 'br0', 'up')
    ip('-n', namespace, 'link', 'set', 'eth0', 'up')
    ip('-n', namespace, 'addr', 'add', `${address}/64`, 'dev', 'eth0', 'nodad')
  }

  host(name: string): Host {
    const host = this.hosts.find((each) => each.name === name)
    if (host === undefined) throw new Error(`no host ${name}`)
    return host
  }

  /** The name server that processes on every host ask. `ip netns exec` binds this file over /etc/resolv.conf. */
  useNameServer(address: string): void {
    for (const { namespace } of this.hosts) {
      mkdirSync(`/etc/netns/${namespace}`, { recursive: true })
      writeFileSync(`/etc/netns/${namespace}/resolv.conf`, `nameserver ${address}\noptions timeout:1 attempts:2\n`)
    }
  }

  /** A process on a host, its output appended to `<folder>/<label>.log`. */
  start(name: string, label: string, command: string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
    const host = this.host(name)
    const log = openSync(join(host.folder, `${label}.log`), 'a')
    const child = spawn('ip', ['netns', 'exec', host.namespace, ...command], {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...env }
    })
    this.#running.add(child)
    child.once('exit', () => this.#running.delete(child))
    return child
  }

  /** Runs a command on a host to its end; throws with its stderr when it fails. */
  run(name: string, command: string[], env: NodeJS.ProcessEnv = {}, input?: string, timeout = hungMs): string {
    return execFileSync('ip', ['netns', 'exec', this.host(name).namespace, ...command], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
      stdio: 'pipe',
      timeout,
      ...(input === undefined ? {} : { input })
    })
  }

  /** What a process that was started with that label has printed so far. */
  log(name: string, label: string): string {
    const file = join(this.host(name).folder, `${label}.log`)
    return existsSync(file) ? readFileSync(file, 'utf8') : ''
  }

  /** Pulls the cable of a host out, or puts it back; the host keeps its addresses. */
  cable(name: string, state: 'up' | 'down'): void {
    ip('-n', this.switchNamespace, 'link', 'set', this.portOf(name), state)
  }

  /** Where the cable of a host ends at the switch. */
  portOf(name: string): string {
    return `v${tag}${this.hosts.indexOf(this.host(name)) + 1}`
  }

  [Symbol.dispose](): void {
    for (const child of this.#running) child.kill('SIGKILL')
    for (const namespace of [...this.hosts.map((host) => host.namespace), this.switchNamespace]) {
      for (const pid of attempt('ip', ['netns', 'pids', namespace]).split('\n').filter(Boolean))
        attempt('kill', ['-9', pid])
      attempt('ip', ['netns', 'del', namespace])
      rmSync(`/etc/netns/${namespace}`, { recursive: true, force: true })
    }
    if (process.env['KEEP_HOSTS'] === undefined) rmSync(this.folder, { recursive: true, force: true })
  }
}

const ip = (...args: string[]): void => {
  execFileSync('ip', args, { stdio: 'pipe' })
}

const attempt = (command: string, args: string[]): string => {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe' })
  } catch {
    return ''
  }
}
