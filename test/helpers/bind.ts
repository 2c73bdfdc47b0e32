import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

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
}

/** A real BIND for one zone on loopback, which takes updates signed with its key. Resolves when it runs. */
export const startBind = async (init: BindInit): Promise<Bind> => {
  const folder = mkdtempSync(join(tmpdir(), 'trustnet-bind-'))
  const keyText = execFileSync('tsig-keygen', ['-a', 'hmac-sha256', 'update-key'], { encoding: 'utf8' })
  const lines = ['$TTL 30', '@ IN SOA ns1 hostmaster 1 3600 600 86400 15', '@ IN NS ns1', 'ns1 IN AAAA ::1']
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    writeFileSync(join(folder, 'zone'), `${[...lines, ...(init.records ?? [])].join('\n')}\n`)
    writeFileSync(join(folder, 'named.conf'), configOf(folder, port, keyText, init))
    const child = spawn('named', ['-g', '-n', '1', '-c', join(folder, 'named.conf')], {
      stdio: ['ignore', 'ignore', 'pipe']
    })
    const failure = await whyNotRunning(child)
    if (failure === undefined) return running(child, folder, port, keyText)
    // Another process took the port between choosing and binding.
    if (attempt >= 5) throw new Error(`named does not start: ${failure}`)
  }
}

const running = (child: ChildProcess, folder: string, port: number, keyText: string): Bind => ({
  address: `[::1]:${port}`,
  keyText,
  dig: (name, type) =>
    execFileSync('dig', ['@::1', '-p', String(port), '+short', name, type], { encoding: 'utf8' })
      .split('\n')
      .filter(Boolean),
  [Symbol.asyncDispose]: async () => {
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
    rmSync(folder, { recursive: true, force: true })
  }
})

const configOf = (folder: string, port: number, keyText: string, init: BindInit): string => `${keyText}
options {
  directory "${folder}";
  pid-file none;
  session-keyfile none;
  managed-keys-directory "${folder}";
  listen-on { none; };
  listen-on-v6 port ${port} { ::1; };
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

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '::1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return address.port
}
