import { randomBytes } from 'node:crypto'
import { type LoadResult, runLoad } from '../harness/load.ts'
import { serveMethods } from '../harness/serve.ts'

/** The part of the npm package etcd3 that is used; it is no dependency of the product. */
interface Lease {
  grant(): Promise<string>
  put(key: string): { value(value: Uint8Array): { exec(): Promise<unknown> } }
}

interface Etcd {
  lease(ttlSeconds: number): Lease
  close(): void
}

interface EtcdModule {
  Etcd3: new (options: { hosts: string }) => Etcd
}

let etcd: Etcd | undefined
let lease: Lease | undefined

const methods = {
  async connect(module: string, host: string): Promise<void> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- installed by whoever runs this row; see its page
    const { Etcd3 } = (await import(module)) as EtcdModule
    etcd = new Etcd3({ hosts: host })
    lease = etcd.lease(3_600)
    await lease.grant()
  },

  /** Puts with a lease, of so many keys in turn. */
  async put(jobs: number, bytes: number, keys: number, inFlight: number): Promise<LoadResult> {
    const value = randomBytes(bytes)
    return await runLoad(
      jobs,
      inFlight,
      async (job) =>
        await lease
          ?.put(`bench/${job % keys}`)
          .value(value)
          .exec()
    )
  }
}

export type EtcdClientMethods = typeof methods

serveMethods(methods, async () => etcd?.close())
