import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign, verify } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { join } from 'node:path'
import { type Database, openDatabase } from '../../src/registry/store/database.ts'
import { type LoadResult, runLoad } from '../harness/load.ts'
import { serveMethods } from '../harness/serve.ts'

/** What the machine does without the product: signatures, and commits of the same size with the same durability. */
let db: Database | undefined

interface Signer {
  privateKey: KeyObject
  publicKey: KeyObject
}

const makeSigner = (): Signer => {
  const { privateKey } = generateKeyPairSync('ed25519')
  return { privateKey, publicKey: createPublicKey(privateKey) }
}

const verifyInPool = (payload: Uint8Array, publicKey: KeyObject, signature: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    verify(null, payload, publicKey, signature, (error, valid) => {
      if (error === null && valid) resolve()
      else reject(error ?? new Error('a signature of our own is wrong'))
    })
  })

interface SignedPayload {
  payload: Uint8Array
  publicKey: KeyObject
  signature: Uint8Array
}

const signedPayloads = (count: number, bytes: number, keys: number): SignedPayload[] => {
  const signers = Array.from({ length: keys }, makeSigner)
  return Array.from({ length: count }, (_, index) => {
    const { privateKey, publicKey } = signers[index % keys] ?? makeSigner()
    const payload = randomBytes(bytes)
    return { payload, publicKey, signature: sign(null, payload, privateKey) }
  })
}

const database = (): Database => {
  if (db === undefined) throw new Error('there is no database')
  return db
}

const put = () =>
  database().prepare<[Uint8Array, number, Uint8Array]>(
    'INSERT INTO floor (key, seq, envelope) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET seq = excluded.seq, envelope = excluded.envelope'
  )

const methods = {
  /** The product's way to open a store: WAL, synchronous=FULL. */
  open(folder: string): void {
    db = openDatabase(join(folder, 'floor.db'))
    db.exec(
      'CREATE TABLE floor (key BLOB PRIMARY KEY, seq INTEGER NOT NULL, envelope BLOB NOT NULL) STRICT, WITHOUT ROWID'
    )
  },

  /** Ed25519 signatures per second; one at a time on the main thread, more in the thread pool. */
  async verify(count: number, bytes: number, keys: number, inFlight: number): Promise<number> {
    const signed = signedPayloads(count, bytes, keys)
    const all = await runLoad(count, inFlight, async (job) => {
      const one = signed[job]
      if (one === undefined) return
      if (inFlight > 1) await verifyInPool(one.payload, one.publicKey, one.signature)
      else if (!verify(null, one.payload, one.publicKey, one.signature)) throw new Error('a wrong signature')
    })
    return all.perSecond
  },

  /** Signatures verified one after the other, in the thread pool or on the main thread. */
  async verifyEach(times: number, bytes: number, where: 'pool' | 'main'): Promise<LoadResult> {
    const signed = signedPayloads(times, bytes, times)
    return await runLoad(times, 1, async (job) => {
      const one = signed[job]
      if (one === undefined) return
      if (where === 'pool') await verifyInPool(one.payload, one.publicKey, one.signature)
      else if (!verify(null, one.payload, one.publicKey, one.signature)) throw new Error('a wrong signature')
    })
  },

  /** Datagrams sent to a port of this machine and awaited back, one after the other. */
  async echoDatagrams(times: number, bytes: number, port: number): Promise<LoadResult> {
    const socket = createSocket('udp6')
    try {
      return await runLoad(times, 1, async () => {
        const back = once(socket, 'message')
        socket.send(Buffer.alloc(bytes, 7), port, '::1')
        await back
      })
    } finally {
      socket.close()
    }
  },

  /** Ms (p50) until so many signatures have been verified side by side in the thread pool. */
  async verifyTogether(times: number, signatures: number, bytes: number): Promise<number> {
    const signed = signedPayloads(signatures, bytes, signatures)
    const all = await runLoad(times, 1, async () => {
      await Promise.all(signed.map((one) => verifyInPool(one.payload, one.publicKey, one.signature)))
    })
    return all.p50
  },

  /** Rows per second, so many per transaction, each transaction on the disk before the next begins. */
  commit(count: number, bytes: number, keys: number, perCommit: number): number {
    const ids = Array.from({ length: keys }, () => randomBytes(32))
    const envelope = randomBytes(bytes)
    const statement = put()
    const commit = database().transaction((first: number, end: number) => {
      for (let row = first; row < end; row++) statement.run(ids[row % keys] ?? randomBytes(32), row, envelope)
    })
    const from = performance.now()
    for (let row = 0; row < count; row += perCommit) commit(row, Math.min(row + perCommit, count))
    return (count / (performance.now() - from)) * 1000
  },

  /**
   * Admissions per second as signatures and commits alone: `verifies` checked and one signature made for each, one more per commit for
   * the checkpoint.
   */
  async admit(count: number, bytes: number, verifies: number, perCommit: number): Promise<number> {
    const { privateKey } = makeSigner()
    const signed = signedPayloads(1000, bytes, 1000)
    const statement = put()
    const entry = randomBytes(bytes)
    let next = 0
    const check = async (): Promise<void> => {
      const one = signed[next++ % signed.length]
      if (one !== undefined) await verifyInPool(one.payload, one.publicKey, one.signature)
    }
    const commit = database().transaction((rows: number) => {
      for (let row = 0; row < rows; row++) {
        sign(null, entry, privateKey)
        statement.run(randomBytes(32), row, entry)
      }
      sign(null, entry, privateKey)
    })
    const from = performance.now()
    for (let done = 0; done < count; done += perCommit) {
      await Promise.all(Array.from({ length: perCommit * verifies }, check))
      commit(perCommit)
    }
    return (count / (performance.now() - from)) * 1000
  }
}

export type FloorsMethods = typeof methods

serveMethods(methods, async () => {
  db?.close()
})
