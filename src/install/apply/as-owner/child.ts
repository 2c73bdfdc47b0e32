import { text } from 'node:stream/consumers'
import type { Ids } from '../../machine/open-safely.ts'
import { become } from './drop.ts'
import { type TaskTypes, tasks } from './tasks.ts'

/** Order that root writes to the stdin of this program. */
export interface Order<K extends keyof TaskTypes> {
  readonly ids: Ids
  readonly task: K
  readonly input: TaskTypes[K]['input']
}

/** Answer that it writes to its stdout. */
export type Answer<K extends keyof TaskTypes> =
  | { readonly result: TaskTypes[K]['answer'] }
  | { readonly error: { readonly name: string; readonly message: string } }

const run = async <K extends keyof TaskTypes>({ ids, task, input }: Order<K>): Promise<Answer<K>> => {
  become(ids)
  try {
    return { result: await tasks[task](input) }
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error))
    return { error: { name, message } }
  }
}

const order: Order<keyof TaskTypes> = JSON.parse(await text(process.stdin))
// Pauses keep no process alive.
const alive = setInterval(() => {}, 2 ** 30)
process.stdout.end(JSON.stringify(await run(order)), () => clearInterval(alive))
