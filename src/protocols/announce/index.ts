export { type Announce, announce } from './announce.ts'
export { announceTopic, gossipOptions } from './options.ts'
