export type { Announce, AnnounceComponents, AnnounceInit } from './announce.ts'
export { announce } from './announce.ts'
export type { AnnounceSource } from './judge.ts'
export { announceTopic, gossipOptions } from './options.ts'
