import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { FileRoot } from '../hosts/file-root.ts'
import { HostNetwork } from '../hosts/host-network.ts'
import { SystemdHost } from '../hosts/systemd-host.ts'

export const user = 'trustnet-tnr'
export const data = '/var/lib/trustnet/tnr'
export const runtime = '/run/trustnet/tnr'
export const passphrase = 'a passphrase of some length'
const canary = '/srv/canary'

export interface Ended {
  readonly code: number
  readonly out: string
}

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
    const program = `${process.execPath} ${resolve('dist/bin/trustnet.js')}`
    const env = `TRUSTNET_RECOVERY_PASSPHRASE='${passphrase}'`
    machine.must(
      `${env} ${program} install --yes --registry-type root --domain example.test --node-name tnr >/root/install.log 2>&1`,
      'mkdir -p /root/safe && trustnet registry backup && systemctl stop trustnet-tnr',
      `cp ${data}/backups/*.db /root/safe/backup.db && cp ${data}/backups/*.json /root/safe/backup.db.json`,
      `cp ${data}/recovery.kit ${data}/next-recovery.kit /root/safe && chown -R root:root /root/safe`,
      `cp -a ${data} /root/pristine && cp -a /etc/trustnet /root/pristine-etc`,
      `mkdir -p ${canary}/folder && echo secret > ${canary}/file && echo secret > ${canary}/folder/file`,
      `chmod 600 ${canary}/file ${canary}/folder/file && chmod 755 ${canary} ${canary}/folder`
    )
    return machine
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

  /** Runs one command as root to whatever end, within a minute. */
  try(command: string): Ended {
    const quoted = command.replaceAll("'", `'\\''`)
    const code = this.must(`set +e; timeout -k 5 60 sh -c '${quoted}' > /root/out.log 2>&1 < /dev/null; echo $?`)
    return { code: Number(code), out: this.read('/root/out.log') }
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

/** Paths that a command and its children touched, as strace(1) saw them: numbers of open folders are read as what they are. */
export const touched = (trace: string): Set<string> => {
  const folders = new Map<string, string>()
  const found = new Set<string>()
  for (const line of trace.split('\n')) {
    const pid = /^(\d+)/.exec(line)?.[1] ?? ''
    for (const [, path = ''] of line.matchAll(/"(\/[^"]*)"/g)) {
      const [, fd = '', rest = ''] = /^\/proc\/self\/fd\/(\d+)(?:\/(.*))?$/.exec(path) ?? []
      const folder = fd === '' ? '' : (folders.get(`${pid} ${fd}`) ?? '')
      const whole = fd === '' ? path : `${folder}/${rest}`
      found.add(whole.replaceAll(/\/\.?(?=\/|$)/g, ''))
    }
    const opened = /= (\d+)<([^>]*)>/.exec(line)
    if (opened !== null) folders.set(`${pid} ${opened[1]}`, opened[2] ?? '')
  }
  return found
}
