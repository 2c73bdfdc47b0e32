import { statSync } from 'node:fs'
import { reasonOf } from '../../runtime/error-message.ts'
import { UsageError } from '../output/exit.ts'

/** Before anything is asked or done. @throws UsageError where nothing is there, or a link to nothing */
export function requireKit(kit: string): void {
  try {
    statSync(kit)
  } catch (error) {
    throw new UsageError(`${reasonOf(error)}. Give the recovery kit with --kit FILE.`)
  }
}
