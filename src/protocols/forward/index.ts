export { openForward } from './client.ts'
export { cutOff } from './forward.ts'
export { LiveForwards } from './live-forwards.ts'
export { type Connect, type ForwardServerInit, forwardServer } from './server.ts'
