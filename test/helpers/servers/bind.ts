import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from '../free-port.ts'

export interface Bind extends AsyncDisposable {
  /** `[::1]:PORT`, for UDP and TCP. */
  readonly address: string
  /** The key file as `tsig-keygen` writes it. */
  readonly keyText: string
  /** What it says of a name. */
  dig(name: string, type: string): string[]
}

export interface BindInit {
  readonly zone: string
  /** Lines of the zone file besides SOA and NS. */
  readonly records?: readonly string[]
  /** Default: the key may change everything. */
  readonly policy?: string
  /** Runs there, at the port of name servers; default: on loopback of this machine, at a free port. */
  readonly host?: { readonly namespace: string; readonly address: string }
}

/** A real BIND for one zone, which takes updates signed with its key. Resolves when it runs. */
export const startBind = async (init: BindInit): Promise<Bind> => {
  const folder = mkdtempSync(join(tmpdir(), 'trustnet-bind-'))
  const { host = { namespace: undefined, address: '::1' } } = init
  const enter = host.namespace === undefined ? [] : ['ip', 'netns', 'exec', host.namespace]
  const keyText = execFileSync('tsig-keygen', ['-a', 'hmac-sha256', 'update-key'], { encoding: 'utf8' })
  const lines = ['$TTL 30', '@ IN SOA ns1 hostmaster 1 3600 600 86400 15', '@ IN NS ns1', `ns1 IN AAAA ${host.address}`]
  for (let attempt = 1; ; attempt++) {
    const port = host.namespace === undefined ? await freePort() : 53
    const place: Place = { folder, address: host.address, port, enter }
    writeFileSync(join(folder, 'zone'), `${[...lines, ...(init.records ?? [])].join('\n')}\n`)
    writeFileSync(join(folder, 'named.conf'), configOf(place, keyText, init))
    const [command, ...args] = [...enter, 'named', '-g', '-n', '1', '-c', join(folder, 'named.conf')]
    const child = spawn(command, args, {
      stdio: ['ignore', 'ignore', 'pipe']
    })
    const failure = await whyNotRunning(child)
    if (failure === undefined) return running(child, place, keyText)
    // Another process took the port between choosing and binding.
    if (attempt >= 5) throw new Error(`named does not start: ${failure}`)
  }
}

interface Place {
  readonly folder: string
  readonly address: string
  readonly port: number
  readonly enter: readonly string[]
}

const running = (child: ChildProcess, { folder, address, port, enter }: Place, keyText: string): Bind => ({
  address: `[${address}]:${port}`,
  keyText,
  dig(name, type) {
    const [command, ...args] = [...enter, 'dig', `@${address}`, '-p', String(port), '+short', name, type]
    return execFileSync(command, args, { encoding: 'utf8' }).split('\n').filter(Boolean)
  },
  [Symbol.asyncDispose]: async () => {
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
    rmSync(folder, { recursive: true, force: true })
  }
})

const configOf = ({ folder, address, port }: Place, keyText: string, init: BindInit): string => `${keyText}
options {
  directory "${folder}";
  pid-file none;
  session-keyfile none;
  managed-keys-directory "${folder}";
  listen-on { none; };
  listen-on-v6 port ${port} { ${address}; };
  recursion no;
  dnssec-validation no;
};
controls { };
zone "${init.zone}" {
  type primary;
  file "${folder}/zone";
  ${init.policy ?? 'allow-update { key "update-key"; };'}
};
`

/** undefined: it runs. */
const whyNotRunning = async (child: ChildProcess): Promise<string | undefined> => {
  const said: string[] = []
  if (child.stderr === null) return 'it has no stderr'
  for await (const line of createInterface(child.stderr)) {
    said.push(line)
    if (/could not|already in use|failed/i.test(line) && /listen|address|socket/i.test(line)) break
    if (line.endsWith(' running')) {
      child.stderr.resume()
      return undefined
    }
  }
  child.kill('SIGKILL')
  return said.slice(-5).join('\n')
}
