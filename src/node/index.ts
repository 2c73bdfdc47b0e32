export { ConfigError } from './errors.ts'
export { createNode } from './node.ts'
export type { MemberHandler, Node, NodeOptions } from './node-interface.ts'
export { type CreatedNetwork, type CreateNetworkOptions, createNetworkHere } from './offline/create-network.ts'
