import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { storeTarget } from '../../src/node/config/field-types/root-store-url.ts'
import { PostgresRootLog } from '../../src/node/root/store/postgres-root-log.ts'
import { openRegistry } from '../../src/registry/registry.ts'
import { copyStore } from '../helpers/faults/store-faults.ts'
import { hasPostgres, PostgresServer } from '../helpers/servers/postgres.ts'
import { tempFolder } from '../helpers/temp.ts'
import { keys, makeStage } from '../simulation/stage.ts'
import { Load } from './load.ts'
import { Promises, stageKeys } from './promises.ts'

/** Longest time under load before the next fault, ms. */
const lifeMs = 150
/** Of so many faults one freezes the root, and one stops the database. */
const [freezeEvery, stopEvery] = [5, 8]
const judgeEvery = 25

/** Reason why roots on a database cannot be killed here; undefined: they can. */
export const whyNoRootStore = (): string | undefined => (hasPostgres ? undefined : "needs Debian's postgresql-15")

/**
 * Two that may be the root, under load over a real database. So many times the one that is the root is killed or frozen, or the database is,
 * each time at another moment, and the other one must go on. Gives what was acknowledged: all of it is in one history.
 */
export async function killRootsMany(times: number, say: (line: string) => void = () => {}): Promise<number> {
  await using stage = await makeStage()
  await using server = await PostgresServer.start()
  using folder = tempFolder()
  const promises = new Promises(stageKeys)
  const start = (name: string): Load =>
    new Load('loaded-candidate', [join(folder.path, name), name, server.url, PostgresServer.password], promises)
  for (const name of ['a', 'b']) copyStore(stage.root, join(folder.path, name))
  let root = { name: 'a', load: start('a') }
  await root.load.works()
  let other = { name: 'b', load: start('b') }
  try {
    for (let fault = 1; fault <= times; fault++) {
      await pause(Math.random() * lifeMs)
      if (fault % stopEvery === 0) {
        await server.down('immediate')
        await server.up()
        await Promise.race([root.load.works(), other.load.works()])
      } else {
        const isFrozen = fault % freezeEvery === 0
        if (isFrozen) root.load.freeze()
        else await root.load.kill()
        await other.load.works()
        if (isFrozen) root.load.thaw()
        else root.load = start(root.name)
        ;[root, other] = [other, root]
      }
      if (fault % judgeEvery === 0 || fault === times) {
        await judge(stage.root, join(folder.path, `judge-${fault}`), server, promises)
        say(`${fault} faults, ${promises.lines} acknowledgements: all kept`)
      }
    }
  } finally {
    await Promise.all([root.load.kill(), other.load.kill()])
  }
  return promises.lines
}

/** Verifies all that the database holds, as a member does, and looks in it for what was acknowledged. */
async function judge(from: string, path: string, server: PostgresServer, promises: Promises): Promise<void> {
  const before = promises.copy()
  copyStore(from, path)
  const target = storeTarget(server.url)
  if ('problem' in target) throw new Error(target.problem)
  {
    await using registry = await openRegistry({ path, role: 'integrated', nodeKey: keys.root })
    const { replica } = registry
    const { networkId } = replica
    await using log = new PostgresRootLog({ target, password: PostgresServer.password, networkId, leaseMs: 1000 })
    for (;;) {
      const page = await log.read(replica.head.n)
      const envelopes = page.map(({ envelope }) => envelope)
      if (envelopes.length === 0) break
      await replica.apply(envelopes)
    }
  }
  await before.judge(path)
}
