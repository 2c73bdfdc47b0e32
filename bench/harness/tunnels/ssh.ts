import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { endProcesses, freePort, listens, type Tunnel } from './tunnel.ts'

const sshd = '/usr/sbin/sshd'

/** Starts `ssh -L` to ports of this machine, through a server of its own; undefined: no server of OpenSSH can be started here. */
export async function startSsh(parent: string, to: readonly number[]): Promise<Tunnel | undefined> {
  if (!existsSync(sshd) || userInfo().uid !== 0) return undefined
  const folder = join(parent, 'ssh')
  mkdirSync(folder, { mode: 0o700 })
  mkdirSync('/run/sshd', { recursive: true })
  const [hostKey, userKey] = [join(folder, 'host'), join(folder, 'user')]
  for (const file of [hostKey, userKey]) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file])
  const port = await freePort()
  const ports = await Promise.all(to.map(freePort))
  const server = spawn(sshd, ['-D', '-e', '-f', '/dev/null', ...options(serverOptions({ port, hostKey, userKey }))], {
    stdio: 'ignore'
  })
  const children = [server]
  try {
    await listens(port, server)
    const tunnels = ports.flatMap((each, at) => ['-L', `[::1]:${each}:[::1]:${to[at]}`])
    const argv = ['-F', 'none', '-N', '-i', userKey, '-p', `${port}`, ...options(clientOptions), ...tunnels]
    const client = spawn('ssh', [...argv, `${userInfo().username}@::1`], { stdio: 'ignore' })
    children.unshift(client)
    for (const each of ports) await listens(each, client)
    return { ports, [Symbol.asyncDispose]: async () => await endProcesses(children) }
  } catch (error) {
    await endProcesses(children)
    throw error
  }
}

const serverOptions = (own: { port: number; hostKey: string; userKey: string }): Record<string, string> => ({
  ListenAddress: `[::1]:${own.port}`,
  HostKey: own.hostKey,
  AuthorizedKeysFile: `${own.userKey}.pub`,
  PidFile: 'none',
  UsePAM: 'no',
  StrictModes: 'no',
  PermitRootLogin: 'yes',
  AllowTcpForwarding: 'yes'
})

const clientOptions: Record<string, string> = {
  StrictHostKeyChecking: 'no',
  UserKnownHostsFile: '/dev/null',
  BatchMode: 'yes',
  ExitOnForwardFailure: 'yes'
}

const options = (all: Record<string, string>): string[] =>
  Object.entries(all).flatMap(([key, value]) => ['-o', `${key}=${value}`])
