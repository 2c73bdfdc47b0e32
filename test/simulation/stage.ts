import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../../src/identity/hash.ts'
import { SigningKey } from '../../src/identity/keys.ts'
import type { Role } from '../../src/identity/role.ts'
import { createNetwork } from '../../src/registry/create-network.ts'
import { makeJoin } from '../../src/registry/objects/join.ts'
import { openRegistry } from '../../src/registry/registry.ts'
import { openDatabase } from '../../src/registry/store/database.ts'
import { memoryFolder } from '../helpers/temp.ts'
import { beginMs } from './machine.ts'
import { checkSignaturesInOrder } from './ordered-signatures.ts'

/** Keys that are the same in every run. */
export const keyNumber = (number: number): SigningKey => {
  const seed = new Uint8Array(32)
  new DataView(seed.buffer).setUint32(0, number)
  return SigningKey.fromSeed(seed)
}

export const keys = { authority: keyNumber(1), nextAuthority: keyNumber(2), root: keyNumber(3), log: keyNumber(4) }

/** The registries beside the root. */
export const others: readonly { name: string; role: Role; key: SigningKey }[] = [
  { name: 'second', role: 'secondary', key: keyNumber(11) },
  { name: 'third', role: 'secondary', key: keyNumber(12) },
  { name: 'node', role: 'integrated', key: keyNumber(13) }
]

const membershipMs = 90 * 24 * 3_600_000
const clock = { now: () => beginMs, monotonic: () => 0 }

/** The stores with which every schedule begins: the root's, and one that knows the genesis alone. */
export interface Stage extends AsyncDisposable {
  readonly folder: string
  readonly networkId: Uint8Array
  readonly root: string
  readonly empty: string
  /** A folder for one schedule. */
  newFolder(name: string): Disposable & { readonly path: string }
}

export const makeStage = async (): Promise<Stage> => {
  checkSignaturesInOrder()
  // What a disk adds is tried with power cuts, not here.
  const all = memoryFolder()
  const folder = all.path
  const root = join(folder, 'root.db')
  const empty = join(folder, 'empty.db')
  const genesis = await createNetwork({
    path: root,
    domain: 'example.org',
    name: 'Simulation',
    policy: { admission: 'open', membershipMs, documentBytes: 4096 },
    authority: keys.authority,
    nextAuthorityDigest: sha256(keys.nextAuthority.publicKey),
    founder: { key: keys.root, name: 'root', logKey: keys.log },
    clock
  })
  await admitOthers(root, genesis.hash)
  const init = { path: empty, role: 'integrated', nodeKey: keyNumber(13), genesis: genesis.bytes } as const
  await (await openRegistry(init, { clock })).close()
  for (const path of [root, empty]) {
    const db = openDatabase(path)
    // Each copy takes an identity of its own.
    db.exec("DELETE FROM meta WHERE key = 'store-id'")
    db.close()
  }
  return {
    folder,
    networkId: genesis.hash,
    root,
    empty,
    newFolder: (name) => {
      const path = join(folder, name)
      mkdirSync(path)
      return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
    },
    [Symbol.asyncDispose]: async () => all[Symbol.dispose]()
  }
}

const admitOthers = async (path: string, networkId: Uint8Array): Promise<void> => {
  const registry = await openRegistry({ path, role: 'root', nodeKey: keys.root, root: { logKey: keys.log } }, { clock })
  const notAfterMs = beginMs + membershipMs
  await registry.root?.append(
    others.map(({ name, role, key }) => ({
      kind: 'admit' as const,
      body: {
        publicKey: key.publicKey,
        name,
        role,
        notAfterMs,
        via: 'approved' as const,
        join: makeJoin({ networkId, key, name, role, timeMs: beginMs })
      }
    }))
  )
  await registry.close()
}
