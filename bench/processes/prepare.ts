import { loadKey } from '../../src/identity/key-file.ts'
import { dataFiles } from '../../src/node/config/paths.ts'
import { createNetworkHere } from '../../src/node/offline/create-network.ts'
import { openRegistry } from '../../src/registry/registry.ts'
import { admission } from '../harness/members/admission.ts'
import { memberKey, memberRecord } from '../harness/members/members.ts'
import { benchConfig, type NetworkSize, rootName } from '../harness/network.ts'
import { serveMethods } from '../harness/serve.ts'

/** Each admission is two entries of a commit, which has 500 at most. */
const batch = 250

const methods = {
  async prepare(folder: string, { members, records, leased = false, open = false }: NetworkSize): Promise<void> {
    const config = benchConfig(folder, rootName, { role: 'root', 'admission.policy': open ? 'open' : 'invite' })
    await createNetworkHere(config, { newNetwork: true })
    const files = dataFiles(config.paths.data)
    const logKey = loadKey(files.logKey)
    const nodeKey = loadKey(config.paths.key)
    const operatorKey = loadKey(files.operatorKey)
    await using registry = await openRegistry({
      path: files.store,
      role: 'root',
      nodeKey,
      root: { logKey, operatorKey }
    })
    const { networkId } = registry
    const change = leased ? { registryKey: nodeKey.publicKey } : {}
    for (let from = 0; from < members; from += batch) {
      const numbers = Array.from({ length: Math.min(batch, members - from) }, (_, index) => from + index)
      const drafts = numbers.flatMap((number) => admission(networkId, number, config.admission.membershipMs))
      await registry.root?.append(drafts, { byOperator: true })
      if (!records) continue
      await Promise.all(
        numbers.map((number) =>
          registry.records.put(memberRecord(networkId, memberKey(number), 1, change), { source: 'session' })
        )
      )
    }
  }
}

export type PrepareMethods = typeof methods

serveMethods(methods)
