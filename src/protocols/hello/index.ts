import { type Hello, type HelloComponents, type HelloInit, HelloService } from './hello.ts'

export { type DiscoveryHello, discoveryHello } from './discovery.ts'
export type { Hello, HelloProven, HelloRefused } from './hello.ts'
export type { NetworkProof } from './proof.ts'
export { registryHello } from './registry-hello.ts'
export type { HelloSource } from './source.ts'

/**
 * Proof of membership, first on every connection.
 *
 * @example
 * createLibp2p({ services: { hello: hello({ source: registryHello(registry, own), trust, limits }) } })
 */
export function hello(init: HelloInit): (components: HelloComponents) => Hello {
  return (components) => new HelloService(components, init)
}
