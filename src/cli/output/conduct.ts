/**
 * Conduct of a command when nobody reads its output any more, when the output cannot be written, and when a signal comes:
 * - `prints`: reads, waits and shows. Without a reader it ends at once with 0, a signal ends it with 128 + its number.
 * - `changes`: goes on to its end without a reader. A signal stops it at once where that is safe, and it says what to look
 *   at; where it must come to its end it says so, and the second Ctrl-C ends it.
 * - `runs`: a daemon. It goes on without a reader of its log; a signal stops it cleanly, with 0.
 * Output that could not be written for another reason than a closed pipe is exit code 1 for the first two.
 */
export type Conduct = 'prints' | 'changes' | 'runs'

/** Conduct of every command there is, by the words that call it. A command that turns into a node `runs` from then on. */
const conducts: ReadonlyMap<string, Conduct> = new Map([
  ['dev', 'runs'],
  ['drill', 'changes'],
  ['install', 'changes'],
  ['upgrade', 'changes'],
  ['uninstall', 'changes'],
  ['doctor', 'prints'],
  ['init', 'changes'],
  ['node start', 'runs'],
  ['registry start', 'runs'],
  ['registry status', 'prints'],
  ['registry nodes', 'prints'],
  ['registry pending', 'prints'],
  ['registry approve', 'changes'],
  ['registry reject', 'changes'],
  ['registry log', 'prints'],
  ['registry at', 'prints'],
  ['registry checkpoint', 'prints'],
  ['registry backup', 'changes'],
  ['registry restore', 'changes'],
  ['registry resume', 'changes'],
  ['registry clock', 'changes'],
  ['registry evict', 'changes'],
  ['authority rotate', 'changes'],
  ['registry rotate-log-key', 'changes'],
  ['registry void', 'changes'],
  ['registry verify', 'prints'],
  ['registry promote', 'changes'],
  ['registry recover', 'changes'],
  ['registry diff', 'prints'],
  ['status', 'prints'],
  ['peers', 'prints'],
  ['peers connect', 'changes'],
  ['peers disconnect', 'changes'],
  ['events', 'prints'],
  ['topology', 'prints'],
  ['report', 'changes'],
  ['log-level', 'changes'],
  ['lookup', 'prints'],
  ['reload', 'changes'],
  ['identity', 'prints'],
  ['identity rotate', 'changes'],
  ['why', 'prints'],
  ['address', 'changes'],
  ['invite', 'changes'],
  ['invite list', 'prints'],
  ['invite show', 'prints'],
  ['invite cancel', 'changes'],
  ['policy show', 'prints'],
  ['policy set', 'changes'],
  ['policy test', 'prints'],
  ['policy edit', 'changes'],
  ['leave', 'changes'],
  ['join', 'changes'],
  ['revoke', 'changes'],
  ['member list', 'prints'],
  ['member rename', 'changes'],
  ['member role', 'changes'],
  ['member groups', 'changes'],
  ['member end', 'changes'],
  ['registry retire', 'changes'],
  ['operator list', 'prints'],
  ['operator add', 'changes'],
  ['operator remove', 'changes'],
  ['operator key', 'changes'],
  ['operator pending', 'prints'],
  ['operator approve', 'changes'],
  ['dns show', 'prints'],
  ['dns check', 'prints'],
  ['dns set', 'changes'],
  ['ui', 'prints'],
  ['wait', 'prints'],
  ['config check', 'prints'],
  ['config show', 'prints'],
  ['config migrate', 'changes'],
  ['version', 'prints'],
  ['completion', 'prints'],
  ['man', 'prints'],
  ['complete', 'prints']
] as const)

/** One that nobody has decided about is let come to its end: that loses nothing. */
export const conductOf = (command: string): Conduct => conducts.get(command) ?? 'changes'

export const decidedCommands: readonly string[] = [...conducts.keys()]
