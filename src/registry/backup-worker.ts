import { parentPort, workerData } from 'node:worker_threads'
import { sealCopy } from './store/copy.ts'

// Reads a whole store several times over: in a thread of its own, so that no heartbeat waits for it.
const { path, dropped }: { path: string; dropped: readonly string[] } = workerData
parentPort?.postMessage(sealCopy(path, dropped), [])
