import { isName } from '../../identity/checked-bytes.ts'
import { UsageError } from '../output/exit.ts'
import { sanitise } from '../output/text.ts'

/** Judged before it stands in a message. @throws UsageError */
export const serviceName = (name: string): string => {
  if (isName(name)) return name
  throw new UsageError(
    `'${sanitise(name)}' is no name of a service: it has 1 to 63 of a-z, 0-9 and -, and no hyphen at either end.`
  )
}
