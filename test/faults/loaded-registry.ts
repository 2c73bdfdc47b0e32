import { writeSync } from 'node:fs'
import { toString as text } from 'uint8arrays/to-string'
import { SigningKey } from '../../src/identity/keys.ts'
import { makeJoin } from '../../src/registry/objects/join.ts'
import { openRegistry } from '../../src/registry/registry.ts'
import { recordBy } from '../helpers/real-network.ts'
import { keys } from '../simulation/stage.ts'

/**
 * A root's registry under load in a process of its own: admits, takes records, revokes and signs as fast as it can, and writes a line for
 * whatever it acknowledged. It goes on until it is killed.
 */
const [path = '', given = '0'] = process.argv.slice(2)
const workers = 16
/** Admissions of one life; then the same members go on with their records, so that the log does not grow without end. */
const maxAdmissions = 80

const hex = (bytes: Uint8Array): string => text(bytes, 'base16')
const acknowledge = (...words: (string | number)[]): void => void writeSync(1, `${words.join(' ')}\n`)

/** As many machines as the network has room for, as fast as it goes. */
const limits = { openMembers: Number.MAX_SAFE_INTEGER, openJoins: { count: 1_000_000, perMs: 1_000 } }

const registry = await openRegistry({ path, role: 'root', nodeKey: keys.root, root: { logKey: keys.log }, limits })
const { admission, networkId, records, replica, root } = registry
let admitted = 0

// What the log shows to others, it has shown.
replica.events.addEventListener('entries', ({ detail }) => {
  for (const { value, hash } of detail.entries) acknowledge('signed', value.epoch, value.n, hex(hash))
})
replica.events.addEventListener('checkpoint', ({ detail }) => {
  const { epoch, n, headHash } = detail.checkpoint.value
  acknowledge('signed', epoch, n, hex(headHash))
})

async function member(worker: number): Promise<void> {
  const key = SigningKey.generate()
  const name = `m${given}-${worker}-${admitted++}`
  const join = makeJoin({ networkId, key, name, role: 'integrated', timeMs: Date.now() })
  await admission.join({ join })
  acknowledge('member', hex(key.publicKey))
  const endSeq = admitted < maxAdmissions ? 20 : Number.POSITIVE_INFINITY
  for (let seq = 1; seq < endSeq; seq++) {
    await records.put(recordBy(registry, key, seq))
    acknowledge('record', hex(key.publicKey), seq)
  }
  if (admitted % 3 !== 0) return
  await admission.revoke(key.publicKey, 'lost')
  acknowledge('revoked', hex(key.publicKey))
}

async function work(worker: number): Promise<void> {
  for (;;) await member(worker)
}

async function sign(): Promise<void> {
  for (;;) await root?.checkpoint()
}

// The network was made at a time of the simulation, years before this clock.
await root?.acceptClock()
acknowledge('open')
await Promise.all([sign(), ...Array.from({ length: workers }, (_, worker) => work(worker))])
