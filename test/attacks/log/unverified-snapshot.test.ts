import { randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import type { Libp2p } from '@libp2p/interface'
import { afterEach, beforeEach, expect } from 'vitest'
import type { SigningKey } from '../../../src/identity/keys.ts'
import { FrameStream } from '../../../src/protocols/engine/frames.ts'
import { SyncCursors, sync, syncId } from '../../../src/protocols/sync/index.ts'
import { SyncFrame } from '../../../src/protocols/sync/pb/sync.ts'
import { sealCheckpoint } from '../../../src/registry/objects/checkpoint.ts'
import { sealEntry } from '../../../src/registry/objects/entry.ts'
import { silentLogger } from '../../../src/runtime/clock-and-logger.ts'
import { keyNumber, type RegistryHost, RegistryNetwork } from '../../helpers/hosts/registries.ts'
import { connect, startHost } from '../../helpers/hosts.ts'
import { attack, control } from '../attack.ts'

const MiB = 1024 * 1024
const attacker = keyNumber(2)

let network: RegistryNetwork
let root: RegistryHost
let follower: RegistryHost
let host: Libp2p | undefined
let path = ''

beforeEach(async () => {
  network = new RegistryNetwork()
  root = await network.startRoot(3)
  path = network.log.newPath()
  const genesis = root.registry.genesis.bytes
  follower = await network.start({ path, role: 'integrated', nodeKey: keyNumber(1), genesis })
})

afterEach(async () => {
  await host?.stop()
  await network[Symbol.asyncDispose]()
})

interface MadeUp {
  epoch: number
  /** What signs the checkpoint, and the entries. */
  checkpointKey: SigningKey
  entryKey: SigningKey
  delegations?: Uint8Array[]
  bytes: number
}

/** A member that serves a snapshot of entries that it makes up: 100 of 3 KiB to a frame. */
async function serveMadeUp({
  epoch,
  checkpointKey,
  entryKey,
  delegations = [],
  bytes
}: MadeUp): Promise<{ liar: Libp2p; sent: () => number }> {
  const { networkId, genesis } = root.registry
  let sent = 0
  const liar = await startHost({}, { privateKey: attacker.toLibp2p() })
  host = liar
  const checkpoint = sealCheckpoint(
    {
      networkId,
      epoch,
      n: 600_000,
      headHash: new Uint8Array(32).fill(1),
      stateRoot: new Uint8Array(32).fill(2),
      rows: 600_000,
      bytes: 2 * 1024 * MiB,
      timeMs: network.log.clock.now()
    },
    checkpointKey
  )
  await liar.handle(syncId, async (stream) => {
    const frames = new FrameStream(stream, { maxFrame: 65_536, limits: follower.limits.stream })
    await frames.read()
    await frames.write(SyncFrame.encode({ start: { status: 0, mode: 1, replicaAgeMs: 0, retryAfterMs: 0 } }))
    await frames.write(SyncFrame.encode({ checkpoint: checkpoint.bytes, delegations }))
    for (let n = 0; sent < bytes; ) {
      const entries: Uint8Array[] = n === 0 ? [genesis.bytes] : []
      for (let i = 0; i < 60; i++) {
        const body = { publicKey: attacker.publicKey, reason: 'x'.repeat(200) }
        const content = {
          networkId,
          n: ++n,
          epoch,
          prevHash: randomBytes(32),
          timeMs: 1,
          kind: 'revoke' as const,
          body
        }
        entries.push(sealEntry(content, entryKey).bytes)
      }
      sent += entries.reduce((sum, { length }) => sum + length, 0)
      await frames.write(SyncFrame.encode({ entries }))
    }
    await frames.close()
  })
  return { liar, sent: () => sent }
}

const pull = async (from: Libp2p): Promise<string> => {
  const connection = await connect(follower.host, from)
  const options = {
    limits: follower.limits,
    logger: silentLogger,
    subscribe: false,
    records: false,
    cursors: new SyncCursors()
  }
  return await sync(connection, follower.registry, options).then(
    () => 'taken',
    (error: Error) => `${error.name}: ${error.message}`
  )
}

/** Bytes of the store on the disk, with its journal. */
const stored = (): number => statSync(path).size + (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0)

/** Runs it against the follower; gives what was sent, and by how much the store grew. */
async function tried(made: Omit<MadeUp, 'bytes'>, bytes = 4 * MiB) {
  const before = stored()
  const { liar, sent } = await serveMadeUp({ ...made, bytes })
  const answer = await pull(liar)
  return { answer, sent: sent(), grown: stored() - before, staged: follower.registry.replica.staged() }
}

const figures = ({ sent, grown, answer }: Awaited<ReturnType<typeof tried>>): string =>
  `${(sent / MiB).toFixed(1)} MiB sent, ${Math.round(grown / 1024)} KiB kept; the member is told: ${answer}`

attack('a member serves a snapshot of an epoch that it made up, signed by itself', async () => {
  const result = await tried({ epoch: 999, checkpointKey: attacker, entryKey: attacker })
  expect(result).toMatchObject({ staged: undefined })
  expect(result.answer).not.toBe('taken')
  expect(result.grown).toBeLessThan(64 * 1024)
  return {
    happened: figures(result),
    held: 'nothing is staged before delegations lead from the genesis to the checkpoint’s key'
  }
})

attack('it shows a delegation that it signed itself', async () => {
  const { networkId, replica } = root.registry
  const { n, hash: prevHash } = replica.head
  const body = { logKey: attacker.publicKey }
  const made = sealEntry({ networkId, n: n + 1, prevHash, epoch: 999, timeMs: 1, kind: 'delegate', body }, attacker)
  const result = await tried({ epoch: 999, checkpointKey: attacker, entryKey: attacker, delegations: [made.bytes] })
  expect(result).toMatchObject({ staged: undefined })
  expect(result.answer).toContain('not signed by the authority')
  expect(result.grown).toBeLessThan(64 * 1024)
  return { happened: figures(result), held: 'each delegation is signed by the authority of its time' }
})

attack('it puts entries of its own under a checkpoint of the log key', async () => {
  const { logKey } = network.log
  const result = await tried({ epoch: 0, checkpointKey: logKey, entryKey: attacker })
  expect(result.answer).toContain('LogMismatchError')
  expect(result.staged?.rows ?? 0).toBe(0)
  expect(result.grown).toBeLessThan(64 * 1024)
  return { happened: figures(result), held: 'the signer of each entry is checked as it comes' }
})

control('what the log key of a known epoch signed is staged as it comes', async () => {
  const { logKey } = network.log
  const result = await tried({ epoch: 0, checkpointKey: logKey, entryKey: logKey }, MiB)
  expect(result.answer).toContain('StreamEndedError')
  expect(result.staged?.rows).toBeGreaterThan(1_000)
  expect(result.grown).toBeGreaterThan(512 * 1024)
})
