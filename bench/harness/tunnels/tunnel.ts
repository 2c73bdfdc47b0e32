import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

const patienceMs = 60_000
const pauseMs = 50

/** Another program that carries connections to ports of this machine. */
export interface Tunnel extends AsyncDisposable {
  /** Ports at which the others are reached, in their order. */
  readonly ports: readonly number[]
}

export async function endProcesses(children: readonly ChildProcess[]): Promise<void> {
  await Promise.all(children.map(ended))
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill()
  await exited
}

/** The port at which a server listens. */
export function portOf(server: Server): number {
  const address = server.address()
  if (typeof address === 'string' || address === null) throw new Error('it listens at no port')
  return address.port
}

/** A port of `::1` that nobody has. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '::1')
  await once(server, 'listening')
  const port = portOf(server)
  server.close()
  await once(server, 'close')
  return port
}

/** Resolves when somebody listens there. */
export async function listens(port: number, child: ChildProcess): Promise<void> {
  const late = performance.now() + patienceMs
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} has ended with ${child.exitCode}`)
    if (performance.now() > late) throw new Error(`${child.spawnfile} does not listen at [::1]:${port}`)
    await pause(pauseMs)
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect({ host: '::1', port })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
