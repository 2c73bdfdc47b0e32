/**
 * A TrustNet node as a library: a libp2p host in a network of members that know and find each other.
 *
 * @example
 * const { config } = parseConfig({ flags: { name: 'hal', domain: 'example.org', 'bootstrap.inviteFile': './invite.txt' } })
 * await using node = await createNode({ config, control: false })
 * await node.start()
 * await node.joined()
 * await node.handle('/my-program/echo/1.0.0', (stream, member) => { … })
 */

export type * from './node/api/control-api.ts'
export { type Config, configExample, type Parsed, type ParseInit, parseConfig } from './node/config/index.ts'
export {
  ConfigError,
  type CreatedNetwork,
  type CreateNetworkOptions,
  createNetworkHere,
  createNode,
  type MemberHandler,
  type Node,
  type NodeOptions
} from './node/index.ts'
export type { TrustedMember } from './protocols/engine/connection-trust.ts'
export { decodeInvite, encodeInvite, type Invite } from './registry/index.ts'
