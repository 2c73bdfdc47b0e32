/**
 * A TrustNet node as a library: a libp2p host in a network of members that know and find each other.
 *
 * @example
 * await using node = await createNode({ folder: './node', invite, config: { name: 'hal' } })
 * await node.start()
 * await node.joined()
 * await node.answer('/my-program/greet/1.0.0', (request, member) => `Hello ${member.name}`)
 */

export { AddressSpellingError } from './address/spelling.ts'
export type { SigningKey } from './identity/keys.ts'
export type { Role } from './identity/role.ts'
export type * from './node/api/control-api.ts'
export type { Config } from './node/config/index.ts'
export type {
  DocumentChange,
  DocumentContent,
  DocumentInfo,
  NodeDocuments
} from './node/documents/node-documents.ts'
export * from './node/errors.ts'
export type { ExposedService } from './node/forward/exposed-services.ts'
export type { Called, ForwardOptions, Forwards, ListenOptions, ServiceListener } from './node/forward/forwards.ts'
export type { LibraryMetrics } from './node/host/libp2p.ts'
export type { LogOutput } from './node/logging.ts'
export type { MemberEvent } from './node/member-events.ts'
export type { HandleOptions, NodeServices } from './node/node-interface.ts'
export type { CreatedNetwork, CreateNetworkOptions } from './node/offline/create-network.ts'
export type { ConfigValues } from './node/program/config-values.ts'
export {
  type AnswerOptions,
  type CreateNodeOptions,
  createNetwork,
  createNode,
  type NodeFolder,
  type NodeMembers,
  type ProgramNode
} from './node/program/create-node.ts'
export type { PartFactory } from './node/program/program.ts'
export type { MemberHandler } from './node/program/protocols.ts'
export { framed, type RequestHandler, type RequestOptions } from './node/program/requests.ts'
export type { MemberMessage, Topic } from './node/program/topics.ts'
export type { ServiceInit } from './node/services/offered.ts'
export type { NodeStores } from './node/stores/node-stores.ts'
export * from './protocols/engine/errors.ts'
export type { Frame } from './protocols/engine/frame-writer.ts'
export type { FrameStream, FrameStreamInit, ReadOptions } from './protocols/engine/frames.ts'
export type { ProtocolLimits } from './protocols/engine/limits.ts'
export type { Rate } from './protocols/engine/rate-limiter.ts'
export type { TrustedMember } from './protocols/engine/trust/connection-trust.ts'
export { decodeInvite, encodeInvite, type Invite } from './registry/index.ts'
export type { InviteGrant, InviteRegistry } from './registry/objects/invite.ts'
export type { Service, ServiceProtocol, ServiceState } from './registry/objects/service.ts'
export * from './runtime/errors.ts'
