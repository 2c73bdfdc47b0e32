export type { Block, BlockExchange, BlockReader, FetchOptions } from './block.ts'
export { blocksId } from './descriptor.ts'
export { BlockFetcher, type BlockFetcherInit } from './fetcher.ts'
export { blocksServer } from './server.ts'
