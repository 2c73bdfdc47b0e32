export { openForward } from './client.ts'
export { LiveForwards } from './live-forwards.ts'
export { type ForwardServerInit, forwardServer } from './server.ts'
