import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { FileRoot } from '../../hosts/file-root.ts'
import { HostNetwork } from '../../hosts/host-network.ts'
import { SystemdHost } from '../../hosts/systemd-host.ts'

export const user = 'trustnet-tnr'
export const data = '/var/lib/trustnet/tnr'
export const runtime = '/run/trustnet/tnr'
export const passphrase = 'a passphrase of some length'
/** The program of this checkout. */
export const program = `${process.execPath} ${resolve('dist/bin/trustnet.js')}`
const canary = '/srv/canary'

export interface Ended {
  readonly code: number
  readonly out: string
}

/** One word of a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** A machine with an installed root, a copy of its data, and a tree of root's that nothing may change. */
export class PlantedMachine implements AsyncDisposable {
  readonly #network: HostNetwork
  readonly #root: FileRoot
  readonly #folder = mkdtempSync(join(tmpdir(), 'trustnet-planted-'))
  readonly host: SystemdHost

  private constructor(network: HostNetwork, root: FileRoot, host: SystemdHost) {
    this.#network = network
    this.#root = root
    this.host = host
  }

  static async create(name: string): Promise<PlantedMachine> {
    const network = new HostNetwork([name])
    const { address, namespace } = network.host(name)
    network.useNameServer(address)
    const root = new FileRoot()
    const machine = new PlantedMachine(network, root, await SystemdHost.boot(namespace, root))
    machine.install()
    machine.must(
      'mkdir -p /root/safe && trustnet registry backup && systemctl stop trustnet-tnr',
      `cp ${data}/backups/*.db /root/safe/backup.db && cp ${data}/backups/*.json /root/safe/backup.db.json`,
      `cp ${data}/recovery.kit ${data}/next-recovery.kit /root/safe && chown -R root:root /root/safe`,
      'systemctl start trustnet-tnr && trustnet invite > /root/safe/invite && systemctl stop trustnet-tnr',
      `cp -a ${data} /root/pristine && cp -a /etc/trustnet /root/pristine-etc`,
      `mkdir -p ${canary}/folder && echo secret > ${canary}/file && echo secret > ${canary}/folder/file`,
      `chmod 600 ${canary}/file ${canary}/folder/file && chmod 755 ${canary} ${canary}/folder`
    )
    return machine
  }

  /** A root named tnr, with a network of its own. */
  install(): void {
    const env = `TRUSTNET_RECOVERY_PASSPHRASE='${passphrase}'`
    this.must(`${env} ${program} install --yes --role root --domain example.test --name tnr >/root/install.log 2>&1`)
  }

  /** The installed node runs. */
  start(): void {
    const said = `{ systemctl status ${user} --no-pager -l; ss -tlnp; journalctl -u ${user} --no-pager -n 60; } >&2; exit 1`
    this.must(`systemctl is-active --quiet ${user} || systemctl start ${user} || { ${said}; }`)
  }

  /** Everything of root's that an attack could want: owner, mode and content. */
  snapshot(): string {
    return this.must(
      `stat -c '%n %U %G %a' / /etc /etc/shadow /etc/passwd /etc/systemd/system /var /var/lib /run /root /usr/bin`,
      `find ${canary} /root/safe -printf '%p %U %G %m %y\\n' | sort | grep -v '/root/safe/out'`,
      `sha256sum ${canary}/file ${canary}/folder/file /etc/shadow /etc/passwd /root/safe/backup.db /root/safe/recovery.kit`
    )
  }

  /** As it was installed, and stopped. */
  reset(): void {
    this.must(
      'systemctl stop trustnet-tnr 2>/dev/null; systemctl reset-failed trustnet-tnr 2>/dev/null; rm -rf /root/safe/out*',
      `rm -rf ${data} ${runtime} && cp -a /root/pristine ${data}`,
      'rm -rf /etc/trustnet && cp -a /root/pristine-etc /etc/trustnet'
    )
  }

  /** Runs shell lines as root, each of which has to work. */
  must(...lines: readonly string[]): string {
    return this.host.run('sh', '-ec', lines.join('\n'))
  }

  /** A file of root's. */
  read(path: string): string {
    return readFileSync(join(this.#root.path, path), 'utf8')
  }

  /** Runs one command as root to whatever end, within 100 s. */
  try(command: string): Ended {
    const code = this.must(
      `set +e; timeout -k 5 100 sh -c ${quoted(command)} > /root/out.log 2>&1 < /dev/null; echo $?`
    )
    return { code: Number(code), out: this.read('/root/out.log') }
  }

  /** Runs one command as root under strace(1), to whatever end. */
  trace(command: string): Ended & { readonly trace: string } {
    const calls = '%file,%process,%creds,connect,bind,kill,tkill,tgkill,pidfd_send_signal'
    const strace = `strace -f -y --seccomp-bpf -s 500 -e trace=${calls} -o /root/trace`
    const ended = this.try(`${strace} sh -c ${quoted(command)}`)
    return { ...ended, trace: this.read('/root/trace') }
  }

  /** A script of the service user's, which runs until the machine is gone; its text comes as a file. */
  asService(name: string, text: string, interpreter: string): void {
    const file = join(this.#root.path, 'srv', name)
    writeFileSync(file, text, { mode: 0o755 })
    const log = `/tmp/${name}.log`
    this.must(
      `setpriv --reuid=${user} --regid=${user} --clear-groups ${interpreter} /srv/${name} > ${log} 2>&1 < /dev/null & echo $! > /root/${name}.pid`
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host[Symbol.asyncDispose]()
    this.#root[Symbol.dispose]()
    this.#network[Symbol.dispose]()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** What the service user may put in the place of a path. Root plants it: a stronger attacker than any service user. */
export const plants: Readonly<Record<string, (path: string) => string>> = {
  'link to a file': (path) => `ln -s ${canary}/file ${path}`,
  'link to a folder': (path) => `ln -s ${canary}/folder ${path}`,
  'hard link': (path) => `ln ${canary}/file ${path}`,
  pipe: (path) => `mkfifo ${path} && chown ${user}: ${path}`,
  folder: (path) => `mkdir ${path} && echo x > ${path}/x && chown -R ${user}: ${path}`,
  'huge file': (path) => `truncate -s 8T ${path} 2>/dev/null || truncate -s 1T ${path}; chown ${user}: ${path}`,
  'file of another': (path) => `echo x > ${path} && chown 65534:65534 ${path} && chmod 600 ${path}`
}
