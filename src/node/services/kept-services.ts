import { existsSync, renameSync } from 'node:fs'
import { z } from 'zod'
import { checkMaintenance, type Maintenance } from '../../registry/objects/record.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { readText } from '../../runtime/files/read-file.ts'
import { timedPath } from '../../runtime/files/timed-path.ts'
import { replaceFile } from '../config/save.ts'
import { type Offered, offered } from './offered.ts'

/** Words of commands about the services of this node, which a restart must not lose. */
export interface Kept {
  readonly services: readonly Offered[]
  readonly maintenance?: Maintenance
}

const shape = z.object({
  services: z.array(
    z.object({
      name: z.string(),
      port: z.number(),
      protocol: z.enum(['tcp', 'udp', 'libp2p']),
      tags: z.array(z.string()),
      check: z.string().optional(),
      everyMs: z.number().optional()
    })
  ),
  maintenance: z.object({ sinceMs: z.number(), reason: z.string() }).optional()
})

const maxBytes = 64 * 1024

/** Reads the file. One that nobody can read is put aside: the node is needed all the same. */
export function readKept(file: string, { clock, logger }: { clock: Clock; logger: Logger }): Kept {
  if (!existsSync(file)) return { services: [] }
  try {
    const { services, maintenance } = shape.parse(JSON.parse(readText(file, maxBytes)))
    if (maintenance !== undefined) checkMaintenance(maintenance)
    return { services: services.map(offered), ...(maintenance !== undefined && { maintenance }) }
  } catch (error) {
    const aside = timedPath(clock.now(), (stamp) => `${file}.damaged-${stamp}`)
    renameSync(file, aside)
    logger.error(
      { error: reasonOf(error), path: aside },
      'the services that commands had added cannot be read and lie aside: add them again with `trustnet service add`'
    )
    return { services: [] }
  }
}

export const writeKept = (file: string, kept: Kept): void => replaceFile(file, `${JSON.stringify(kept, null, 2)}\n`)
