export { type Announce, announce } from './announce.ts'
export { announceTopic, gossipOptions } from './options.ts'
export { refreshDelayMs } from './schedule.ts'
export { type TopicMessage, type Topics, topics } from './topics.ts'
