import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { expect } from 'vitest'
import { runProgram } from '../built-program.ts'
import { tempFolder } from '../temp.ts'

/** For commands in the folder of a stopped root: its passphrase, and nothing outside of this machine. */
export const stoppedEnv = (folder: string): Record<string, string> => ({
  TRUSTNET_HOME: folder,
  TRUSTNET_RECOVERY_PASSPHRASE: 'a passphrase of some length',
  TRUSTNET_BOOTSTRAP_DNS_SERVERS: '[::1]:1',
  TRUSTNET_ANNOUNCE_ALLOW: 'loopback',
  TRUSTNET_LISTEN_PORT: '0'
})

export interface StoppedRoot extends Disposable {
  readonly path: string
  /** Its data folder. */
  readonly data: string
}

/** A folder with the root of a network that does not run. */
export const stoppedRoot = async (): Promise<StoppedRoot> => {
  const folder = tempFolder()
  const argv = ['init', '--domain', 'example.test', '--name', 'root', '--new-network']
  expect(await runProgram(argv, stoppedEnv(folder.path))).toMatchObject({ code: 0 })
  return { ...folder, data: join(folder.path, 'data', 'root') }
}

/** A member that takes connections and says nothing. */
export const silentPeer = async (): Promise<{ server: Server; address: string }> => {
  const server = createServer()
  server.listen(0, '::1')
  await once(server, 'listening')
  const at = server.address()
  if (at === null || typeof at === 'string') throw new Error('no port')
  return { server, address: `/ip6/::1/tcp/${at.port}` }
}
