import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Role } from '../../../src/identity/role.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { encodeInvite } from '../../../src/registry/objects/invite.ts'

/** Path of a file with an invite to a registry of this process. */
export async function inviteFile(node: TrustNode, folder: string, name: string, role: Role): Promise<string> {
  const { registry, attached, key } = node
  const { grant, inviteKey } = await registry.admission.invite({ role })
  const registries = [{ publicKey: key.publicKey, addrs: [...attached.announced] }]
  const path = join(folder, `invite-${name}`)
  const line = encodeInvite({ domain: 'bench.test', networkId: registry.networkId, registries, grant, inviteKey })
  writeFileSync(path, line, { mode: 0o600 })
  return path
}
