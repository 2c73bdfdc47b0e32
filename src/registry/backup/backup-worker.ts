import { parentPort, workerData } from 'node:worker_threads'
import { verifySignatures } from '../log/verify-signatures.ts'
import { openEntry } from '../objects/entry.ts'
import { openRecord } from '../objects/record.ts'
import { sealCopy } from '../store/copy-store.ts'
import { openReadOnly } from '../store/database.ts'

// Reads a whole store several times over: in a thread of its own, so that no heartbeat waits for it, nor for its signatures in the pool.
const { path, dropped, networkId }: { path: string; dropped: readonly string[]; networkId: Uint8Array } = workerData
const facts = sealCopy(path, dropped)
const copy = openReadOnly(path)
await verifySignatures(copy, networkId, { entry: openEntry, record: openRecord })
copy.close()
parentPort?.postMessage(facts, [])
