import { writeSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { toString as text } from 'uint8arrays/to-string'
import { SigningKey } from '../../src/identity/keys.ts'
import { storeTarget } from '../../src/node/config/field-types/root-store-url.ts'
import { PostgresRootLog } from '../../src/node/root/store/postgres-root-log.ts'
import { EngineCommit } from '../../src/registry/log/root-log/engine-commit.ts'
import { LeaseLostError, type RootLease } from '../../src/registry/log/root-log/root-log.ts'
import { makeJoin } from '../../src/registry/objects/join.ts'
import { openRegistry } from '../../src/registry/registry.ts'
import { silentLogger } from '../../src/runtime/clock-and-logger.ts'
import { keys } from '../simulation/stage.ts'

/**
 * A registry that may be the root, over a database that keeps the log, in a process of its own: while it has the lease it admits as fast as
 * it can, and writes a line for whatever it acknowledged or showed. It goes on until it is killed.
 */
const [path = '', holder = '', url = '', password = ''] = process.argv.slice(2)
const workers = 8
const leaseMs = 1000
const lookMs = 200
const limits = { openMembers: Number.MAX_SAFE_INTEGER, openJoins: { count: 1_000_000, perMs: 1_000 } }

const hex = (bytes: Uint8Array): string => text(bytes, 'base16')
const acknowledge = (...words: (string | number)[]): void => void writeSync(1, `${words.join(' ')}\n`)

const target = storeTarget(url)
if ('problem' in target) throw new Error(target.problem)
let lease: RootLease | undefined
let engine: PostgresRootLog | undefined

const registry = await openRegistry({
  path,
  role: 'root',
  nodeKey: keys.root,
  limits,
  root: {
    logKey: keys.log,
    log: (replica) => {
      engine = new PostgresRootLog({ target, password, networkId: replica.networkId, leaseMs })
      const onLease = (before: RootLease, now: RootLease | undefined): void => {
        if (lease?.term === before.term) lease = now
      }
      return new EngineCommit({ engine, lease: () => lease, onLease, replica, logger: silentLogger })
    }
  }
})
const { admission, networkId, replica, root } = registry

replica.events.addEventListener('entries', ({ detail }) => {
  for (const { value, hash } of detail.entries) acknowledge('signed', value.epoch, value.n, hex(hash))
})
replica.events.addEventListener('checkpoint', ({ detail }) => {
  const { epoch, n, headHash } = detail.checkpoint.value
  acknowledge('signed', epoch, n, hex(headHash))
})

async function look(): Promise<void> {
  const { head, checkpoint } = replica
  if (engine === undefined || checkpoint === undefined) throw new Error('nothing is signed')
  try {
    if (lease !== undefined) await engine.renew(lease)
    else if ((await engine.state()) === undefined)
      lease = await engine.begin(holder, { head, checkpoint: checkpoint.bytes })
    else lease = await engine.acquire(holder)
  } catch (error) {
    if (error instanceof LeaseLostError) lease = undefined
  }
}

async function seat(): Promise<void> {
  for (;;) {
    await look()
    await pause(lookMs)
  }
}

/** Admits strangers. Nobody knows what became of one that was refused: it is not asked about again. */
async function admit(worker: number): Promise<void> {
  for (let number = 0; ; number++) {
    const key = SigningKey.generate()
    const name = `${holder}-${process.pid}-${worker}-${number}`
    const join = makeJoin({ networkId, key, name, role: 'integrated', timeMs: Date.now() })
    try {
      await admission.join({ join })
      acknowledge('member', hex(key.publicKey))
    } catch {
      await pause(lookMs)
    }
  }
}

/** The network was made at a time of the simulation, years before this clock. */
async function acceptClock(): Promise<void> {
  for (;;) {
    try {
      return await root?.acceptClock()
    } catch {
      await pause(lookMs)
    }
  }
}

await Promise.all([seat(), acceptClock(), ...Array.from({ length: workers }, (_, worker) => admit(worker))])
