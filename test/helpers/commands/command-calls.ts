/** How each command is called so that it has something to say, at a process that answers. */
export const commandCalls: ReadonlyMap<string, readonly string[]> = new Map([
  ['doctor', []],
  ['registry status', []],
  ['registry nodes', []],
  ['registry approve', ['hal']],
  ['registry reject', ['hal']],
  ['registry log', []],
  ['registry backup', []],
  ['registry resume', ['--head', '1']],
  ['registry void', []],
  ['registry pending', ['--json']],
  ['registry clock', []],
  ['registry rotate-log-key', []],
  ['status', []],
  ['peers', []],
  ['peers connect', ['/ip6/2001:db8::1/tcp/9000']],
  ['peers disconnect', ['hal']],
  ['lookup', []],
  ['identity', []],
  ['identity rotate', []],
  ['why', ['hal']],
  ['address', []],
  ['invite', []],
  ['invite list', []],
  ['invite show', ['3fa2']],
  ['invite cancel', ['3fa2']],
  ['policy show', []],
  ['policy set', ['admission=approve']],
  ['leave', []],
  ['revoke', ['hal']],
  ['member list', []],
  ['member rename', ['hal', 'hal-2']],
  ['member role', ['hal', 'external']],
  ['member groups', ['hal', 'web']],
  ['member end', ['hal']],
  ['registry retire', ['hal']],
  ['wait', []],
  ['dns show', ['--address', '2001:db8::1', '--domain', 'example.org']],
  ['dns set', ['--add', '2001:db8::1', '--domain', 'example.org', '--provider', 'manual']],
  ['config check', ['--name', 'none']],
  ['config show', ['--name', 'none']],
  ['version', []],
  ['completion', ['bash']],
  ['complete', ['--', '']]
])

/** What a folder holds in which the commands on stopped machines are called: `FOLDER` stands for it. */
export const stoppedCalls: ReadonlyMap<string, readonly string[]> = new Map([
  ['registry verify', []],
  ['registry restore', ['FOLDER/copy.db']],
  ['registry promote', ['--yes']],
  ['registry recover', ['--backup', 'FOLDER/copy.db', '--yes']],
  ['registry diff', ['FOLDER/copy.db']],
  ['authority rotate', ['--kit', 'FOLDER/data/root/next-recovery.kit', '--to', 'FOLDER/after.kit', '--yes']],
  ['config migrate', ['FOLDER/root.yaml']],
  ['join', ['FOLDER/invite', '--name', 'hal', '--no-start']],
  ['install', ['--plan', '--yes', '--invite', 'FOLDER/invite', '--node-name', 'hal']],
  ['dev', ['--once', '--nodes', '1', '--dir', 'FOLDER/dev']]
])

/** Commands that need a machine, a network or a name server of their own, and the file in which the same is asked of them. */
export const callsElsewhere: ReadonlyMap<string, string> = new Map([
  ['drill', 'integration/cli/cli-at-work.test.ts'],
  ['init', 'integration/cli/cli-broken-off.test.ts'],
  ['node start', 'integration/cli/cli-daemons.test.ts'],
  ['registry start', 'integration/cli/cli-daemons.test.ts'],
  ['dns check', 'integration/dns/cli-dns.test.ts'],
  ['upgrade', 'hosts/install/upgrade.test.ts'],
  ['uninstall', 'hosts/install/install-signals.test.ts']
])
