export { createNode } from './node.ts'
