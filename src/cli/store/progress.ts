import type { ControlApi, Output } from '../../node/api/control-api.ts'
import { changes } from '../output/changes.ts'
import type { Context } from '../output/context.ts'
import { ExitError, exitCodes } from '../output/exit.ts'
import { bytes, sanitise, sanitiseWhole } from '../output/text.ts'

type StoreAnswer = Output<'store'>

const everyMs = 1_000

/** States that a store goes through by itself. */
const underWay: ReadonlySet<string> = new Set<StoreAnswer['store']['state']>([
  'reading',
  'offered',
  'waiting',
  'fetching',
  'writing',
  'shared',
  'complete',
  'refused'
])

/**
 * Waits until a store is as it was asked for, and says on the way how far it is. What has begun goes on in the process when this ends.
 * @throws ExitError for what cannot be, or waits for others
 */
export async function awaitStore(
  { terminal, signal }: Context,
  client: ControlApi,
  begun: StoreAnswer
): Promise<StoreAnswer> {
  const store = `${begun.store.owner.peerId}/${begun.store.name}`
  let view = begun
  let told = ''
  for await (const _ of changes(client, { signal, everyMs })) {
    view = await client.store({ store }, { signal })
    const row = view.store
    const isShared = row.state === 'shared' && row.trouble === null
    if (isShared || (row.state === 'complete' && row.seq === row.heldSeq)) return view
    if (row.trouble !== null) throw failure(row)
    if (!underWay.has(row.state)) throw unknownState(row)
    const now = progressText(row)
    if (now !== told) terminal.progress(now)
    told = now
  }
  signal.throwIfAborted()
  throw new ExitError(
    exitCodes.notRunning,
    'The process ended meanwhile; its next start goes on: trustnet store status'
  )
}

function progressText({ name, state, arrivedBytes, sizeBytes }: StoreAnswer['store']): string {
  if (state === 'reading') return `Reading the folder of ${sanitise(name)} …`
  if (state === 'writing') return `Writing the files of ${sanitise(name)} …`
  if (state !== 'fetching') return `Waiting for members that have ${sanitise(name)} …`
  return `Fetching ${sanitise(name)}: ${bytes(arrivedBytes)} of ${bytes(sizeBytes)} …`
}

function failure({ name, state, trouble }: StoreAnswer['store']): ExitError {
  const why = sanitiseWhole(trouble ?? '')
  if (state === 'waiting') {
    const next = 'It goes on by itself: trustnet store status'
    return new ExitError(exitCodes.timeout, `${sanitise(name)} is not all here yet: ${why}. ${next}`)
  }
  return new ExitError(
    exitCodes.refused,
    `${why}. Mend it and run this again, or: trustnet store remove ${sanitise(name)}`
  )
}

const unknownState = ({ name, state }: StoreAnswer['store']): ExitError =>
  new ExitError(
    exitCodes.failure,
    `The process says '${sanitise(state)}' of ${sanitise(name)}, which this program does not know: they are of different versions (trustnet version)`
  )
