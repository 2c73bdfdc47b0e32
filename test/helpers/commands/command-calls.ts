/** How each command is called so that it has something to say, at a process that answers. */
export const commandCalls: ReadonlyMap<string, readonly string[]> = new Map([
  ['doctor', []],
  ['registry status', []],
  ['registry nodes', []],
  ['registry approve', ['hal']],
  ['registry reject', ['hal']],
  ['registry log', []],
  ['registry at', ['1']],
  ['registry backup', []],
  ['registry checkpoint', []],
  ['registry witness-lines', ['package.json']],
  ['registry resume', ['--head', '1']],
  ['registry void', []],
  ['registry pending', ['--json']],
  ['registry clock', []],
  ['registry evict', ['--confirm']],
  ['registry rotate-log-key', []],
  ['registry move-root', ['--to', 'sqlite']],
  ['status', []],
  ['ui', []],
  ['peers', []],
  ['peers connect', ['/ip6/2001:db8::1/tcp/9000']],
  ['peers disconnect', ['hal']],
  ['ping', ['hal', '--count', '1']],
  ['events', []],
  ['topology', []],
  ['export', ['hosts']],
  ['log-level', ['debug']],
  ['lookup', []],
  ['identity', []],
  ['identity rotate', []],
  ['reload', []],
  ['why', ['hal']],
  ['address', []],
  ['invite', []],
  ['invite list', []],
  ['invite show', ['3fa2']],
  ['invite cancel', ['3fa2']],
  ['policy show', []],
  ['policy set', ['admission=approve']],
  ['policy test', ['hal', 'root', 'ssh']],
  ['policy edit', ['--yes']],
  ['leave', []],
  ['revoke', ['hal']],
  ['member list', []],
  ['member rename', ['hal', 'hal-2']],
  ['member role', ['hal', 'external']],
  ['member groups', ['hal', 'web']],
  ['member end', ['hal']],
  ['registry retire', ['hal']],
  ['operator list', []],
  ['operator add', ['ann', '--key', '12D3KooWGRUfgPvBSk3h8u5cQm9YxZc1V8rPpYb4tq1oRCu1aaaa']],
  ['operator remove', ['ann']],
  ['operator pending', []],
  ['operator approve', ['3fa2']],
  ['operator withdraw', ['3fa2']],
  ['document publish', ['package.json', '--id', 'plan']],
  ['document list', []],
  ['document show', ['plan']],
  ['document history', ['plan']],
  ['document watch', []],
  ['document retire', ['plan', '--reason', 'old']],
  ['document allow-publisher', ['hal']],
  ['document remove-publisher', ['hal']],
  ['store add', ['docs', '--name', 'music']],
  ['store list', []],
  ['store status', []],
  ['store show', ['music']],
  ['store sync', ['music']],
  ['store remove', ['music']],
  ['store pin', ['music']],
  ['service add', ['web', '--port', '80']],
  ['service list', []],
  ['service remove', ['web']],
  ['maintenance on', ['--reason', 'disk']],
  ['maintenance off', []],
  ['expose', ['web', '--to', '[::1]:80']],
  ['wait', []],
  ['dns show', ['--address', '2001:db8::1', '--domain', 'example.org']],
  ['dns set', ['--add', '2001:db8::1', '--domain', 'example.org', '--provider', 'manual']],
  ['config check', ['--name', 'none']],
  ['config show', ['--name', 'none']],
  ['version', []],
  ['completion', ['bash']],
  ['man', []],
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
  ['report', ['--output', 'FOLDER/report.tar']],
  ['operator key', ['FOLDER/ann.key']],
  ['join', ['FOLDER/invite', '--name', 'hal', '--no-start']],
  ['install', ['--plan', '--yes', '--invite', 'FOLDER/invite', '--name', 'hal']],
  ['dev', ['--once', '--nodes', '1', '--dir', 'FOLDER/dev']]
])

/** What every command is asked: to work without a reader, on a full disk, and with a signal. */
type Asked = 'reader' | 'disk' | 'signal'

/** A test by its title, in a file below test/, and what it asks of a command. */
interface TestElsewhere {
  readonly file: string
  readonly title: string
  readonly asks: readonly Asked[]
}

const daemons = 'integration/cli/cli-daemons.test.ts'
const ofDaemons: readonly TestElsewhere[] = [
  {
    file: daemons,
    title: 'goes on when %s, says so where it can, and stops as one that has a reader',
    asks: ['reader', 'disk']
  },
  { file: daemons, title: '%s while it starts: it ends, and nothing is wrong', asks: ['signal'] }
]

/** Commands that need a machine, a network or a name server of their own, and the tests that ask the same of them. */
export const callsElsewhere: ReadonlyMap<string, readonly TestElsewhere[]> = new Map<string, readonly TestElsewhere[]>([
  [
    'drill',
    [
      {
        file: 'integration/cli/cli-drill.test.ts',
        title: 'a drill without a reader comes to its end, and one on a full disk says so',
        asks: ['reader', 'disk']
      },
      {
        file: 'integration/cli/cli-at-work.test.ts',
        title: 'a drill that makes its network: Ctrl-C ends all of it, its folder is gone, and it says so',
        asks: ['signal']
      }
    ]
  ],
  [
    'init',
    [
      {
        file: 'integration/cli/cli-outputs.test.ts',
        title: 'init without a %s keeps the passphrase that it could not show, and says where',
        asks: ['reader', 'disk']
      },
      {
        file: 'integration/cli/cli-broken-off.test.ts',
        title: 'a signal at one of its changes: it comes to its end or says how things are, and all is sound',
        asks: ['signal']
      }
    ]
  ],
  [
    'forward',
    [
      {
        file: 'integration/services/forward-command.test.ts',
        title: 'goes on without a reader or on a full disk, and a signal ends it with 0',
        asks: ['reader', 'disk', 'signal']
      }
    ]
  ],
  ['node start', ofDaemons],
  ['registry start', ofDaemons],
  [
    'dns check',
    [
      {
        file: 'integration/dns/cli-dns.test.ts',
        title: 'as a program: a full disk is told and is 1, a reader that is gone is 0, and a signal ends what asks',
        asks: ['reader', 'disk', 'signal']
      }
    ]
  ],
  [
    'upgrade',
    [
      {
        file: 'hosts/install/upgrade.test.ts',
        title: 'ended by a signal in the middle it says how things are, with the code of a shell',
        asks: ['signal']
      },
      {
        file: 'hosts/install/upgrade.test.ts',
        title: 'the way back is the upgrade of the version that was kept, also without a reader; a full disk is told',
        asks: ['reader', 'disk']
      }
    ]
  ],
  [
    'uninstall',
    [
      {
        file: 'hosts/install/install-signals.test.ts',
        title:
          'at any of its changes says so and leaves 128 + n, goes on with the same command, and is taken back likewise',
        asks: ['signal']
      },
      {
        file: 'hosts/install/install-signals.test.ts',
        title: 'without a reader install and uninstall come to their ends, and a full disk is told',
        asks: ['reader', 'disk']
      }
    ]
  ]
])
