import { z } from 'zod'
import type { Role } from '../../identity/role.ts'
import type { RouteName } from '../control/methods.ts'
import { type CallOptions, type ControlApi, peerStates, type View } from './control-api.ts'
import { ControlInputError } from './errors.ts'

export interface Route {
  call(api: ControlApi, input: unknown, options: CallOptions): Promise<View>
}

const roleNames = ['root', 'secondary', 'integrated', 'external'] as const satisfies Role[]
const peer = z.string().min(1).max(256)
const reason = z.string().max(256)
const count = z.coerce.number().int().min(0)
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')])

const nothing = z.object({})
const onePeer = z.object({ peer })
const peerAndReason = z.object({ peer, reason })

const route = <T extends object>(
  schema: z.ZodType<T>,
  call: (api: ControlApi, input: T, options: CallOptions) => Promise<View>
): Route => ({
  call(api, input, options) {
    const parsed = schema.safeParse(input)
    if (!parsed.success) {
      const wrong = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
      throw new ControlInputError(`The request is not understood: ${wrong}. Is the command of another version?`)
    }
    return call(api, parsed.data, options)
  }
})

const lookupQuery = z.object({
  peer: peer.optional(),
  role: z.enum(roleNames).optional(),
  service: z.string().max(64).optional(),
  state: z.enum(peerStates).optional(),
  after: z.string().max(256).optional(),
  limit: count.max(500).optional(),
  remote: flag.optional()
})

const inviteQuery = z.object({
  role: z.enum(roleNames).optional(),
  name: z.string().max(64).optional(),
  replaces: z.string().max(64).optional(),
  uses: count.min(1).max(1_000_000).optional(),
  ttlMs: count.min(1000).optional(),
  note: z.string().max(128).optional()
})

const policyChanges = z.object({
  admission: z.enum(['invite', 'approve', 'open']).optional(),
  membershipMs: count.optional(),
  documentBytes: count.optional(),
  openGrants: count.optional(),
  grantUses: count.optional(),
  grantMs: count.optional(),
  nameHoldMs: count.optional(),
  returnGraceMs: count.optional(),
  force: z.boolean().optional()
})

const inviteId = z.string().min(1).max(32)

/** How each route validates its input and calls its method. */
export const routes: Readonly<Record<RouteName, Route>> = {
  status: route(nothing, (api, _, options) => api.status(options)),
  peers: route(nothing, (api, _, options) => api.peers(options)),
  lookup: route(lookupQuery, (api, query, options) => api.lookup(query, options)),
  why: route(onePeer, (api, input, options) => api.why(input.peer, options)),
  identity: route(nothing, (api, _, options) => api.identity(options)),
  address: route(z.object({ peer: peer.optional() }), (api, input, options) => api.address(input.peer, options)),
  'registry/status': route(nothing, (api, _, options) => api.registryStatus(options)),
  'registry/nodes': route(nothing, (api, _, options) => api.registryNodes(options)),
  'registry/log': route(
    z.object({ after: count.optional(), limit: count.max(1000).optional() }),
    (api, query, options) => api.log(query, options)
  ),
  'registry/pending': route(nothing, (api, _, options) => api.pending(options)),
  'registry/approve': route(onePeer, (api, input, options) => api.approve(input.peer, options)),
  'registry/reject': route(peerAndReason, (api, input, options) => api.reject(input.peer, input.reason, options)),
  'registry/reject-all': route(
    z.object({ olderMs: count.optional(), matching: z.string().max(253).optional(), reason }),
    (api, { reason: why, ...which }, options) => api.rejectAll(which, why, options)
  ),
  'registry/backup': route(z.object({ to: z.string().min(1).max(4096).optional() }), (api, input, options) =>
    api.backup(input.to, options)
  ),
  'registry/fetch': route(z.object({ peer, to: z.string().min(1).max(4096) }), (api, input, options) =>
    api.fetchStore(input.peer, input.to, options)
  ),
  'registry/clock': route(nothing, (api, _, options) => api.clock(options)),
  'registry/clock/accept': route(nothing, (api, _, options) => api.acceptClock(options)),
  'registry/void': route(nothing, (api, _, options) => api.voidRevokes(options)),
  'registry/void/dismiss': route(onePeer, (api, input, options) => api.dismissVoid(input.peer, options)),
  'registry/resume': route(z.object({ head: count }), (api, input, options) => api.resume(input.head, options)),
  invite: route(inviteQuery, (api, query, options) => api.invite(query, options)),
  'invite/list': route(z.object({ id: inviteId.optional() }), (api, input, options) => api.invites(input.id, options)),
  'invite/cancel': route(z.object({ id: inviteId, reason }), (api, input, options) =>
    api.cancelInvite(input.id, input.reason, options)
  ),
  policy: route(nothing, (api, _, options) => api.policy(options)),
  'policy/set': route(policyChanges, (api, changes, options) => api.setPolicy(changes, options)),
  join: route(z.object({ line: z.string().max(16_384) }), (api, input, options) => api.join(input.line, options)),
  leave: route(z.object({ forget: z.boolean(), reason: reason.optional() }), (api, query, options) =>
    api.leave(query, options)
  ),
  revoke: route(peerAndReason, (api, input, options) => api.revoke(input.peer, input.reason, options)),
  connect: route(z.object({ multiaddr: z.string().max(512) }), (api, input, options) =>
    api.connect(input.multiaddr, options)
  ),
  disconnect: route(onePeer, (api, input, options) => api.disconnect(input.peer, options)),
  acknowledge: route(z.object({ code: z.string().max(64) }), (api, input, options) =>
    api.acknowledge(input.code, options)
  )
}
