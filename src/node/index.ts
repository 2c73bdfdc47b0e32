export type { Config } from './config/schema.ts'
export { ConfigError } from './errors.ts'
export { type CreatedNetwork, type CreateNetworkOptions, createNetworkHere } from './network-init.ts'
export { createNode, type MemberHandler, type Node, type NodeOptions } from './node.ts'
