import { equals } from 'uint8arrays/equals'
import { toString as text } from 'uint8arrays/to-string'
import { sha256 } from '../../src/identity/hash.ts'
import { readStoredEntry } from '../../src/registry/log/state/stored-entry.ts'
import type { Machine } from './machine.ts'
import type { Simulation } from './simulation.ts'

/** Times that everybody asks everybody before all must be the same. */
const rounds = 8
const maxSteps = 20_000

const hex = (bytes: Uint8Array): string => text(bytes, 'base16')

/** Lets the faults end and the replicas meet, then asks whether all that was promised is there. Throws what is not. */
export async function settleAndJudge(simulation: Simulation): Promise<void> {
  simulation.calm()
  simulation.note('the faults end')
  for (const machine of simulation.machines) simulation.start(machine)
  await simulation.world.rest()
  await drain(simulation)
  for (let round = 0; round < rounds && !areEqual(simulation); round++) await meet(simulation)
  if (!areEqual(simulation)) throw new Error(`the replicas differ after the faults ended:\n${pictureOf(simulation)}`)
  for (const machine of simulation.running()) judgeMachine(simulation, machine)
  judgeLog(simulation)
  await judgeRestart(simulation)
}

async function drain(simulation: Simulation): Promise<void> {
  for (let step = 0; simulation.world.pending > 0; step++) {
    if (step > maxSteps) throw new Error('the network never comes to rest')
    await simulation.step()
  }
}

async function meet(simulation: Simulation): Promise<void> {
  const { machines, root } = simulation
  handOverRevokes(simulation)
  root.call(async (registry) => await registry.root?.checkpoint())
  await simulation.world.rest()
  for (const client of machines) {
    for (const server of machines) {
      simulation.pull(client, server, false)
      await drain(simulation)
    }
    simulation.replay(client)
    await drain(simulation)
  }
}

/** Revokes that a new epoch made void are still enforced where they are known: the operator enters them again. */
function handOverRevokes({ machines, root }: Simulation): void {
  const unsettled = machines.flatMap(({ process }) => process?.registry.replica.authorityRevocations.unsettled() ?? [])
  const pending = unsettled.flatMap(({ value }) => (value.kind === 'revoke' ? [value.body] : []))
  root.call(async (registry) => {
    for (const body of pending) {
      if (registry.replica.state.revoked(body.publicKey) === undefined) {
        await registry.root?.append([{ kind: 'revoke', body }])
      }
    }
  })
}

/** What two machines that agree have in common. */
function pictureOfOne({ process }: Machine): string {
  if (process === undefined) return 'lost'
  const { replica, records } = process.registry
  const { epoch, n, hash } = replica.head
  return `${epoch}:${n} ${hex(hash)} ${hex(replica.state.root())} ${hex(sha256(records.digest()))}`
}

const picturesOf = ({ machines }: Simulation): string[] =>
  machines.filter(({ isLost }) => !isLost).map((machine) => pictureOfOne(machine))

/** All machines say the same, and nothing that is enforced is missing in the log. */
const areEqual = (simulation: Simulation): boolean =>
  new Set(picturesOf(simulation)).size === 1 &&
  simulation.running().every(({ process }) => process?.registry.replica.authorityRevocations.revokes().length === 0)

const pictureOf = ({ machines, peers }: Simulation): string =>
  machines
    .map((machine) => {
      const registry = machine.process?.registry
      const seqs = peers.map(({ key, name }) => `${name} ${registry?.records.get(key.publicKey)?.seq ?? '-'}`)
      const picture = pictureOfOne(machine).replaceAll(/(?<start>[0-9a-f]{8})[0-9a-f]{56}/g, '$<start>')
      return `${machine.name} ${picture} ${seqs.join(', ')}`
    })
    .join('\n')

function judgeMachine(simulation: Simulation, machine: Machine): void {
  const registry = machine.process?.registry
  if (registry === undefined) return
  for (const { name, key, admitted, ended, revoked, shown } of simulation.peers) {
    const isMember = registry.replica.isMember(key.publicKey)
    if (revoked !== undefined && !simulation.isVoid(revoked)) {
      if (isMember) throw new Error(`${machine.name} takes ${name} for a member: it was revoked at ${revoked.n}`)
      continue
    }
    const last = simulation.audit.lastOf(key.publicKey, (position) => simulation.isVoid(position))
    const isOver = ended !== undefined && !simulation.isVoid(ended) && (last?.kind !== 'admit' || last.n < ended.n)
    if (isOver && isMember) throw new Error(`${machine.name} takes ${name} for a member: that ended at ${ended.n}`)
    if (isOver || last?.kind === 'end') continue
    if (admitted === undefined || simulation.isVoid(admitted)) continue
    if (registry.replica.state.isRevoked(key.publicKey)) continue
    if (!isMember) throw new Error(`${machine.name} has lost ${name}, which was told of its admission at ${admitted.n}`)
    const held = registry.records.get(key.publicKey)?.seq ?? 0
    const isKept = shown !== undefined && simulation.machines.some(({ name: at, isLost }) => at === shown.at && !isLost)
    if (isKept && held < shown.seq) throw new Error(`${machine.name} has lost record ${shown.seq} of ${name}: ${held}`)
  }
}

/** What the log itself says: no invite served two, nobody came back after a revocation. */
function judgeLog({ root }: Simulation): void {
  const replica = root.process?.registry.replica
  if (replica === undefined) throw new Error('there is no root in the end')
  const invited = new Map<string, Uint8Array>()
  const revoked = new Set<string>()
  for (const { envelope } of replica.read(0, Number.MAX_SAFE_INTEGER)) {
    const { value } = readStoredEntry(envelope)
    if (value.kind === 'revoke') revoked.add(hex(value.body.publicKey))
    if (value.kind !== 'admit') continue
    const { grantId, name, publicKey } = value.body
    if (revoked.has(hex(publicKey))) throw new Error(`${name} was admitted at ${value.n} after its revocation`)
    if (grantId === undefined) continue
    const before = invited.get(hex(grantId))
    if (before !== undefined && !equals(before, publicKey)) throw new Error(`the invite of ${name} let in two`)
    invited.set(hex(grantId), publicKey)
  }
}

/** What is on the disk is what was in memory. */
async function judgeRestart(simulation: Simulation): Promise<void> {
  const machine = simulation.random.pick(simulation.running())
  const before = pictureOfOne(machine)
  machine.crash()
  simulation.start(machine)
  await simulation.world.rest()
  if (pictureOfOne(machine) !== before) throw new Error(`${machine.name} is another one after a restart`)
}
