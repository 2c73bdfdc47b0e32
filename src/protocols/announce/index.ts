export { type Announce, type AnnounceInit, announce } from './announce.ts'
export { announceTopic, gossipOptions } from './options.ts'
