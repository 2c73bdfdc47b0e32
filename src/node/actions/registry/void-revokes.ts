import type { OfferedRevoke } from '../../../registry/admission/offered-revokes.ts'
import { readmission } from '../../../registry/log/epochs/readmission.ts'
import type { Registry } from '../../../registry/registry.ts'
import { NotFoundError } from '../../../runtime/errors.ts'
import type { VoidRevokeRow, VoidRevokesView } from '../../api/registry-views.ts'
import type { ChangeView } from '../../api/views.ts'
import type { NodeContext } from '../../node-context.ts'
import { whoAsks } from '../../views/operator-names.ts'
import { requireKey } from '../../views/peer-names.ts'
import { refOf } from '../../views/refs.ts'

export const voidRevokesView = (registry: Registry): VoidRevokesView => ({
  offered: registry.admission.offered.list().map((revoke) => rowOf(registry, revoke))
})

const rowOf = (registry: Registry, { publicKey, from, ...said }: OfferedRevoke): VoidRevokeRow => ({
  member: refOf(registry, publicKey),
  ...said,
  from: from === undefined ? null : refOf(registry, from)
})

/**
 * The operator's word that a void revoke or end is not to be: others stop to enforce it.
 * @throws NotRootError, NotFoundError when none of that member waits
 */
export async function dismissVoid(node: NodeContext, registry: Registry, peer: string): Promise<ChangeView> {
  const { admission, replica } = registry
  const publicKey = requireKey(registry, peer)
  const isOffered = admission.offered.list().some((each) => Buffer.compare(each.publicKey, publicKey) === 0)
  if (!isOffered)
    throw new NotFoundError(`no void revoke or end of ${peer} waits: \`trustnet registry void\` lists them`)
  const draft = readmission(replica, publicKey)
  const [entry] = draft === undefined ? [] : await admission.orders.author().append([draft])
  await admission.offered.dismiss(publicKey)
  const ref = refOf(registry, publicKey)
  const fields = { by: whoAsks(registry), peer: ref.peerId, ...(entry !== undefined && { entry: entry.value.n }) }
  node.logging.logger.warn(fields, 'An operator says that a void revoke or end is not to be: the member stays')
  const message =
    entry === undefined
      ? 'stays a member here; a registry that holds the revoke itself may enforce it for a week'
      : 'stays a member, and every registry is told so'
  return { ...ref, entry: entry?.value.n ?? null, message }
}
