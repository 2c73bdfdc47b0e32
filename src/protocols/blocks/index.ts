export type { Block, BlockReader } from './block.ts'
export { BlockFetcher } from './fetcher.ts'
export { blocksServer } from './server.ts'
