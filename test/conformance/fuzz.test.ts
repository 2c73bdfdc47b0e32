import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fromString } from 'uint8arrays/from-string'
import { toString as asText } from 'uint8arrays/to-string'
import { expect, test } from 'vitest'
import { isPublicKey } from '../../src/identity/ed25519.ts'
import { SigningKey } from '../../src/identity/keys.ts'
import { openCheckpoint } from '../../src/registry/objects/checkpoint.ts'
import { openEntry } from '../../src/registry/objects/entry.ts'
import { type Domain, domains, openEnvelope, seal } from '../../src/registry/objects/envelope.ts'
import { openForgetRequest } from '../../src/registry/objects/forget-request.ts'
import { openGenesis } from '../../src/registry/objects/genesis.ts'
import { openJoin } from '../../src/registry/objects/join.ts'
import { openReceipt } from '../../src/registry/objects/receipt.ts'
import { openRecord } from '../../src/registry/objects/record.ts'
import { openRenewRequest } from '../../src/registry/objects/renew-request.ts'
import { openRotateRequest } from '../../src/registry/objects/rotate.ts'
import { openStoreManifest } from '../../src/registry/objects/store-manifest.ts'
import { notKeys } from '../helpers/faults/not-keys.ts'
import { mutated } from '../helpers/mutations.ts'
import { Random } from '../simulation/random.ts'
import { hasGo } from './go-client.ts'

if (!hasGo) process.stderr.write('test/conformance/fuzz is skipped: needs Go\n')
/** More of both: FUZZ_ROUNDS=1000 takes minutes. */
const rounds = Number(process.env['FUZZ_ROUNDS'] ?? 20)
const seed = Number(process.env['FUZZ_SEED'] ?? 1)

type Open = (envelope: Uint8Array, networkId: Uint8Array) => unknown

const kinds: readonly [string, Domain, Open][] = [
  ['genesis', domains.genesis, openGenesis],
  ['log-entry', domains.logEntry, openEntry],
  ['checkpoint', domains.checkpoint, openCheckpoint],
  ['node-record', domains.nodeRecord, openRecord],
  ['join', domains.join, openJoin],
  ['receipt', domains.receipt, openReceipt],
  ['renew', domains.renew, openRenewRequest],
  ['forget', domains.forget, openForgetRequest],
  ['rotate', domains.rotate, openRotateRequest],
  ['store', domains.storeManifest, openStoreManifest]
]

/** taken; refused for its bytes, its signature, its version or its network; refused by a rule for single fields or for the signer, which Go does not judge */
const verdictOf = (open: () => unknown): 'taken' | 'refused' | 'by a rule' => {
  try {
    open()
    return 'taken'
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error))
    const isRule = name === 'InvalidPayloadError' && !message.includes('is not encoded as it should be')
    return isRule || message.includes('signed by a key that may not sign it') ? 'by a rule' : 'refused'
  }
}

interface Vector {
  readonly name: string
  readonly seed: string
  readonly envelope: string
}

const hex = (text: string): Uint8Array => fromString(text.slice('hex:'.length), 'hex')

interface Case {
  readonly line: string
  readonly verdict: string
}

/** Each object of the vectors, changed and signed again, or changed in its envelope. */
function* cases(random: Random): Generator<Case> {
  for (const [name, domain, open] of kinds) {
    const file: { networkId: string; good: Vector[]; newer: Vector[] } = JSON.parse(
      readFileSync(new URL(`../fixtures/vectors/${name}.json`, import.meta.url), 'utf8')
    )
    const networkId = hex(file.networkId)
    for (const vector of [...file.good, ...file.newer]) {
      const envelope = hex(vector.envelope)
      const { payload } = openEnvelope(domain, envelope)
      const key = SigningKey.fromSeed(hex(vector.seed))
      for (let round = 0; round < rounds; round++) {
        const changed = round % 4 === 3 ? mutated(envelope, random) : resigned(domain, mutated(payload, random), key)
        if (changed === undefined) continue
        const line = `${name} ${asText(networkId, 'hex')} ${asText(changed, 'hex')}`
        yield { line, verdict: verdictOf(() => open(changed, networkId)) }
      }
    }
  }
}

/** undefined: it would be larger than an object of its kind may be. */
const resigned = (domain: Domain, payload: Uint8Array, key: SigningKey): Uint8Array | undefined => {
  try {
    return seal(domain, payload, key)
  } catch {
    return undefined
  }
}

/** Bytes of 32, at and around those that are no keys. */
function* keyCases(random: Random): Generator<Case> {
  const from = [...notKeys.map(({ publicKey }) => publicKey), SigningKey.fromSeed(new Uint8Array(32)).publicKey]
  for (let round = 0; round < 20 * rounds; round++) {
    const key = Uint8Array.from(random.pick(from))
    key[random.pick([0, 0, 31, random.below(32)])] = random.below(256)
    yield { line: `key - ${asText(key, 'hex')}`, verdict: isPublicKey(key) ? 'taken' : 'refused' }
  }
}

test.skipIf(!hasGo)('a verifier in Go takes and refuses the same of thousands of objects that were changed', () => {
  const random = new Random(seed)
  const all = [...cases(random), ...keyCases(random)]
  const said = execFileSync('go', ['run', '.', 'judge', '../../../src/registry/pb/registry.proto'], {
    cwd: new URL('go/', import.meta.url).pathname,
    input: all.map(({ line }) => `${line}\n`).join(''),
    encoding: 'utf8',
    maxBuffer: 2 ** 30
  }).split('\n')
  // What only a rule refuses may be either there.
  const differing = all.filter(({ verdict }, at) => verdict !== 'by a rule' && verdict !== said[at])
  expect(differing.slice(0, 5)).toEqual([])
  const taken = all.filter(({ verdict }) => verdict === 'taken').length
  expect([taken > all.length / 50, all.length > 50 * rounds]).toEqual([true, true])
})
