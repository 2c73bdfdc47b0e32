import type { Notice } from './notices.ts'
import type { NetworkFacts } from './status-facts.ts'

/** Remedies for each kind of alarm. */
const alarmFixes: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({
    duplicate_key: 'trustnet identity (on both machines), then a new key for one of them',
    seq_reused:
      'trustnet status --acknowledge seq_reused when a data folder was put back; else trustnet identity on both machines, then a new key for one of them',
    root_replaced:
      'set role: secondary in the configuration of this node, then trustnet status --acknowledge root_replaced',
    lying_source: 'trustnet why NAME of that member; revoke it when it was not a damaged disk',
    root_store_away: 'look at the database and the way to it: trustnet registry status; the root goes on by itself',
    unwitnessed:
      'trustnet registry status, then look at the machines of the witnesses; when they are gone for good: trustnet policy set witnesses-needed 0, then trustnet registry rotate-log-key',
    witness_refuses:
      'trustnet registry diff --with MEMBER, then the operator of the root; when this machine alone is wrong: stop it, move registry.db and witness.json aside, start it',
    witness_lies:
      'take it out of the witnesses: trustnet policy edit, or trustnet revoke NAME; then ask its operator, and that of the root, who had both histories',
    store_gone:
      'trustnet registry backup --to FILE, then stop this process, trustnet registry restore FILE, and start it',
    store_damaged: 'look at the disk, then trustnet status --acknowledge store_damaged',
    newer_rules: 'trustnet upgrade on this machine',
    stale_source: 'trustnet peers --compare NAME,self with the name of that member, then look at its machine',
    clock_step:
      'set the clock right (timedatectl set-ntp true), or trustnet registry clock --accept when it is right now',
    clock_doubt: 'set the clock right (timedatectl set-ntp true), or trustnet registry clock --accept when it is right',
    void_revokes: 'trustnet registry void, then trustnet revoke NAME or member end NAME for those that are right',
    revoke_missing: 'trustnet status on the root; when it is in wrong hands: trustnet registry promote, on a secondary',
    log_fork:
      'keep the registry.db of every node, they hold the proof, and ask the operator of the root which history is right'
  })
)

/** An alarm stays when what raised it has ended, too: its fix ends with the word that it was seen. */
const fixOf = (code: string): string => {
  const acknowledge = `trustnet status --acknowledge ${code}`
  const fix = alarmFixes.get(code)
  if (fix === undefined) return acknowledge
  return fix.includes(acknowledge) ? fix : `${fix}; when that is done, ${acknowledge}`
}

/** Notices of what was raised and not acknowledged for good. */
export const alarmNotices = ({ alarms }: NetworkFacts): Notice[] =>
  alarms.map(({ code, message, sinceMs, acknowledged }) => ({
    code,
    level: 'alarm',
    message,
    fix: fixOf(code),
    sinceMs,
    acknowledged
  }))
