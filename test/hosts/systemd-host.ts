import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { hungMs } from '../helpers/ceiling.ts'
import { eventually } from '../helpers/network.ts'
import type { FileRoot } from './file-root.ts'

/** Why systemd cannot be booted here; undefined: it can. */
export const whyNoSystemd = (): string | undefined => {
  try {
    execFileSync('systemd-nspawn', ['--version'], { stdio: 'pipe' })
    return undefined
  } catch {
    return 'needs systemd-nspawn (Debian: systemd-container)'
  }
}

/** A machine with systemd as its init, in a network namespace and a file root of its own. */
export class SystemdHost implements AsyncDisposable {
  readonly #nspawn: ChildProcess
  #init = ''

  private constructor(nspawn: ChildProcess) {
    this.#nspawn = nspawn
  }

  /** `capabilities`: those that its services may have beside what a container has. */
  static async boot(namespace: string, root: FileRoot, capabilities: readonly string[] = []): Promise<SystemdHost> {
    const units = join(root.path, 'etc/systemd/system')
    for (const name of readdirSync(units)) if (name.endsWith('.wants')) rmSync(join(units, name), { recursive: true })
    writeFileSync(join(root.path, 'etc/machine-id'), '')
    return await SystemdHost.bootAgain(namespace, root, capabilities)
  }

  /** The same machine after its end, with what was enabled in it. */
  static async bootAgain(namespace: string, root: FileRoot, capabilities: readonly string[]): Promise<SystemdHost> {
    const checkout = resolve('.')
    const nspawn = spawn(
      'systemd-nspawn',
      [
        '--register=no',
        '--keep-unit',
        '-M',
        namespace,
        '-D',
        root.path,
        '--resolv-conf=off',
        `--bind-ro=/etc/netns/${namespace}/resolv.conf:/etc/resolv.conf`,
        `--bind-ro=${checkout}`,
        `--network-namespace-path=/var/run/netns/${namespace}`,
        ...capabilities.map((capability) => `--capability=${capability}`),
        '--console=pipe',
        '--boot'
      ],
      { stdio: ['ignore', 'ignore', 'ignore'], env: { ...process.env, SYSTEMD_NSPAWN_API_VFS_WRITABLE: 'network' } }
    )
    const host = new SystemdHost(nspawn)
    await eventually(() => host.#isUp())
    return host
  }

  /** Runs a command as root inside, to its end; throws with its stderr when it fails. */
  run(...command: string[]): string {
    const all = ['-t', this.#init, '-m', '-u', '-i', '-n', '-p', '-C', ...command]
    return execFileSync('nsenter', all, { encoding: 'utf8', stdio: 'pipe', timeout: hungMs, env: environment })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#nspawn.exitCode !== null) return
    const ended = new Promise((done) => this.#nspawn.once('exit', done))
    // To nspawn itself: it powers the machine off.
    this.#nspawn.kill('SIGTERM')
    const force = setTimeout(() => this.#nspawn.kill('SIGKILL'), 10_000)
    await ended
    clearTimeout(force)
  }

  #isUp(): boolean {
    try {
      const { pid } = this.#nspawn
      this.#init = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0] ?? ''
      if (this.#init === '') return false
      return ['running', 'degraded'].includes(this.run('sh', '-c', 'systemctl is-system-running || true').trim())
    } catch {
      // Not that far yet: asked again until the deadline.
      return false
    }
  }
}

const environment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LC_ALL: 'C.UTF-8'
}
