import { createNetworkHere } from '../../src/node/network-init.ts'
import { dataFiles } from '../../src/node/paths.ts'
import { newGrantId, sealGrant } from '../../src/registry/grant.ts'
import { makeJoin } from '../../src/registry/join.ts'
import { loadKey } from '../../src/registry/key-file.ts'
import { SigningKey } from '../../src/registry/keys.ts'
import { openRegistry } from '../../src/registry/registry.ts'
import type { EntryDraft } from '../../src/registry/root.ts'
import { memberKey, memberName, memberRecord, memberRole } from '../harness/members.ts'
import { benchConfig, type NetworkSize, rootName } from '../harness/network.ts'
import { serveMethods } from '../harness/serve.ts'

const batch = 500
const hour = 3_600_000

/** What an admission by invite leaves in the log, with all its signatures. */
function admission(networkId: Uint8Array, logKey: SigningKey, number: number, membershipMs: number): EntryDraft {
  const key = memberKey(number)
  const inviteKey = SigningKey.generate()
  const timeMs = Date.now()
  const role = memberRole(number)
  const grant = sealGrant(
    { networkId, id: newGrantId(), inviteKey: inviteKey.publicKey, role, uses: 1, notAfterMs: timeMs + hour },
    logKey
  )
  const name = memberName(number)
  const join = makeJoin({ networkId, key, name, role, grant, inviteKey, timeMs })
  const notAfterMs = timeMs + membershipMs
  return {
    kind: 'admit',
    body: { publicKey: key.publicKey, name, role, notAfterMs, via: 'invite', grant: grant.bytes, join }
  }
}

const methods = {
  async prepare(folder: string, { members, records }: NetworkSize): Promise<void> {
    const config = benchConfig(folder, rootName, { role: 'root' })
    await createNetworkHere(config, { newNetwork: true })
    const files = dataFiles(config.paths.data)
    const logKey = loadKey(files.logKey)
    const nodeKey = loadKey(config.paths.key)
    await using registry = await openRegistry({ path: files.store, role: 'root', nodeKey, logKey })
    const { networkId } = registry
    for (let from = 0; from < members; from += batch) {
      const numbers = Array.from({ length: Math.min(batch, members - from) }, (_, index) => from + index)
      const drafts = numbers.map((number) => admission(networkId, logKey, number, config.admission.membershipMs))
      await registry.root?.append(drafts)
      if (!records) continue
      await Promise.all(
        numbers.map((number) =>
          registry.records.put(memberRecord(networkId, memberKey(number), 1), { source: 'session' })
        )
      )
    }
  }
}

export type PrepareMethods = typeof methods

serveMethods(methods)
