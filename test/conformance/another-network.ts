import { sha256 } from '../../src/identity/hash.ts'
import { SigningKey } from '../../src/identity/keys.ts'
import type { Hello } from '../../src/protocols/hello/pb/hello.ts'
import { sealCheckpoint } from '../../src/registry/objects/checkpoint.ts'
import { sealEntry } from '../../src/registry/objects/entry.ts'
import { sealGenesis } from '../../src/registry/objects/genesis.ts'
import { defaultPolicy } from '../../src/registry/objects/policy/policy.ts'

/** The same registry as the founder of another network: whole and right, and not the one of the invite. */
export function proofOfAnotherNetwork(registryKey: SigningKey): Partial<Hello> {
  const authority = SigningKey.generate()
  const logKey = SigningKey.generate()
  const timeMs = Date.now()
  const genesis = sealGenesis(
    {
      domain: 'another.test',
      name: 'another',
      authorityKey: authority.publicKey,
      nextAuthorityDigest: sha256(SigningKey.generate().publicKey),
      logKey: logKey.publicKey,
      createdMs: timeMs,
      policy: defaultPolicy
    },
    authority
  )
  const networkId = genesis.hash
  const notAfterMs = timeMs + 86_400_000
  const { publicKey } = registryKey
  const admit = sealEntry(
    {
      networkId,
      n: 1,
      prevHash: networkId,
      epoch: 0,
      timeMs,
      kind: 'admit',
      body: { publicKey, name: 'root', role: 'root', notAfterMs, via: 'founder' }
    },
    logKey
  )
  const head = { networkId, epoch: 0, n: 1, headHash: admit.hash, rows: 2 }
  const bytes = genesis.bytes.length + admit.bytes.length
  const checkpoint = sealCheckpoint({ ...head, stateRoot: new Uint8Array(32), bytes, timeMs }, logKey)
  return { networkId, genesis: genesis.bytes, checkpoint: checkpoint.bytes, admit: admit.bytes, role: 1, status: 6 }
}
