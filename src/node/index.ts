export { ConfigError } from './errors.ts'
export { type CreatedNetwork, type CreateNetworkOptions, createNetworkHere } from './network-init.ts'
export { createNode } from './node.ts'
export type { MemberHandler, Node, NodeOptions } from './node-interface.ts'
