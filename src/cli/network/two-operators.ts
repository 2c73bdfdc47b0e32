import type { ControlApi } from '../../node/api/control-api.ts'
import { orderedKinds } from '../../node/api/words.ts'
import type { Context } from '../output/context.ts'

/** Says whom a policy stops when it asks for two operators for what governs the network, there are two, and one key is lost. */
export async function warnOfLostKey(
  { terminal, signal }: Context,
  client: Pick<ControlApi, 'operators'>,
  twoOperators: readonly number[] | undefined
): Promise<void> {
  const stopped = ['policy', 'operator'].filter((kind) => twoOperators?.some((each) => each === orderedKinds[kind]))
  if (stopped.length === 0) return
  const { operators } = await client.operators({}, { signal })
  if (operators.length !== 2) return
  const back = stopped.includes('operator')
    ? 'only the authority can end that then (trustnet registry recover enters another operator)'
    : 'until the other operator adds another one'
  terminal.progress(
    `${terminal.paintProgress('warn', 'warning')}: there are two operators: when the key of one is lost, no entry of kind ${stopped.join(' or ')} can be made any more; ${back}. A third one now: trustnet operator add`
  )
}
