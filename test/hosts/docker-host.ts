import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { eventually } from '../helpers/network.ts'
import type { FileRoot } from './file-root.ts'

/** Why no engine can be started here; undefined: it can. */
export const whyNoDocker = (): string | undefined => {
  const asked = ['dockerd --version', 'docker compose version || docker-compose version']
  try {
    for (const command of asked) execFileSync('sh', ['-c', command], { stdio: 'pipe' })
    return undefined
  } catch {
    return 'needs a Docker engine and Compose (Debian: docker.io docker-compose)'
  }
}

/** The file root is made the root of the engine's mounts, not only of its process: containers are entered through them. */
const enter = `
root=$1; data=$2; shift 2
for place in proc sys dev; do mount --rbind "/$place" "$root/$place"; done
mkdir -p "$root/var/lib/docker" && mount --bind "$data" "$root/var/lib/docker"
cd "$root" && mkdir -p .before && pivot_root . .before && umount --lazy /.before && rmdir /.before
exec "$@"`

const engine = ['dockerd', '--bridge=none', '--iptables=false', '--ip6tables=false', '--pidfile=/run/engine.pid']

/** An engine on a machine with a network namespace and a file root of its own. Its clients find it where it usually is. */
export class DockerHost implements AsyncDisposable {
  // An overlay cannot lie on the overlay that a file root is.
  readonly #data = mkdtempSync(join(tmpdir(), 'trustnet-docker-'))
  readonly #dockerd: ChildProcess
  readonly #root: string
  readonly #run: (...command: string[]) => string

  private constructor(namespace: string, root: FileRoot, run: (...command: string[]) => string) {
    const args = [`--net=/var/run/netns/${namespace}`, 'unshare', '--mount', '--propagation', 'private']
    this.#root = root.path
    this.#run = run
    // Not `ip netns exec`: it would hide the control groups.
    this.#dockerd = spawn('nsenter', [...args, 'sh', '-ec', enter, 'enter', root.path, this.#data, ...engine], {
      stdio: 'ignore'
    })
  }

  /** `run` runs a command on that machine to its end. */
  static async start(namespace: string, root: FileRoot, run: (...command: string[]) => string): Promise<DockerHost> {
    const host = new DockerHost(namespace, root, run)
    await eventually(() => host.#isUp())
    return host
  }

  /** This machine's own C library and shell under the name of a base image that no registry is asked for. */
  importBase(name: string): void {
    const folder = mkdtempSync(join(tmpdir(), 'trustnet-base-'))
    for (const place of ['bin', 'lib', 'lib64']) {
      mkdirSync(join(folder, 'usr', place), { recursive: true })
      symlinkSync(`usr/${place}`, join(folder, place))
    }
    for (const place of ['tmp', 'etc', 'var/lib']) mkdirSync(join(folder, place), { recursive: true })
    const programs = ['/bin/sh', '/usr/bin/readlink', '/usr/bin/dirname']
    const linked = execFileSync('ldd', [...programs, realpathSync(process.execPath)], { encoding: 'utf8' })
    for (const path of new Set([...programs, ...(linked.match(/\/\S+\.so\S*/g) ?? [])])) {
      if (path.endsWith(':')) continue
      const to = join(folder, 'usr', path.replace(/^\/usr\//, ''))
      mkdirSync(dirname(to), { recursive: true })
      cpSync(realpathSync(path), to)
    }
    const packed = join(this.#root, 'base.tar')
    execFileSync('tar', ['-C', folder, '-cf', packed, '.'])
    this.#run('docker', 'import', '/base.tar', name)
    for (const path of [folder, packed]) rmSync(path, { recursive: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#dockerd.exitCode === null) {
      const ended = once(this.#dockerd, 'exit')
      this.#dockerd.kill('SIGTERM')
      await ended
    }
    rmSync(this.#data, { recursive: true, force: true })
  }

  #isUp(): boolean {
    try {
      this.#run('docker', 'version')
      return true
    } catch {
      // Not that far yet: asked again until the deadline.
      return false
    }
  }
}
