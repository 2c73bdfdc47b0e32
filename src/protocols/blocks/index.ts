export type { Block, BlockExchange, BlockReader } from './block.ts'
export { BlockFetcher } from './fetcher.ts'
export { blocksServer } from './server.ts'
