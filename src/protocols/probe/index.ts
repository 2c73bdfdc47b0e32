export { askTold, probe, probeMember } from './client.ts'
export { probeId } from './descriptor.ts'
export type { DialResult, ProbedMember, ProbeWord, Told } from './messages.ts'
export { type ProbeServer, probeServer } from './server.ts'
