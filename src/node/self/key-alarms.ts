import type { Alarms } from '../../registry/alarms.ts'

/** A record was signed before this process began: by a former one over the same data, unless somebody else has the key. */
export const raiseReused = (alarms: Alarms): void =>
  alarms.raise(
    'seq_reused',
    'a newer record of this node came than its store knows: its data folder was put back from an older copy, which mends itself, or another machine has its key'
  )

/** Another process uses the key of this one while it runs. */
export const raiseDuplicate = (alarms: Alarms, reason: string): void =>
  alarms.raise('duplicate_key', `${reason}: stop one of them; a cloned machine needs a key of its own`)
