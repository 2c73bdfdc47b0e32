import type { Action } from '../model/action.ts'
import { fail, pass } from '../model/check.ts'
import type { Deployment, Install } from '../model/deployment.ts'
import { namesActions } from '../model/names.ts'
import { hasOwner, serviceFolders } from '../model/service.ts'
import { unitText } from '../plan/unit.ts'

const runsProgram =
  'pid=$(systemctl show --property MainPID --value "$0"); ' +
  'test "$(readlink "/proc/$pid/exe")" = "$1" && test "$(stat -c %U "/proc/$pid")" = "$2"'

/** A hardened service of systemd. */
export const systemd: Deployment = {
  name: 'systemd',
  about: 'a hardened systemd service: starts at boot, restarts after a failure',
  check: (facts) =>
    facts.systemd
      ? pass('deployment', 'Deployment', 'systemd runs this machine')
      : fail(
          'deployment',
          'Deployment',
          'systemd is not the init of this machine, so there is nothing to keep a service running',
          'choose --deployment foreground (runs under this command) or --deployment docker'
        ),
  rest: ({ layout: { unit, data, user } }) => [
    {
      kind: 'command',
      what: `${unit} rests while its files change hands`,
      run: ['sh', '-c', 'systemctl cat "$0" >/dev/null 2>&1 || exit 0; exec systemctl stop "$0"', unit],
      isDone: ['sh', '-c', hasOwner, data, user]
    }
  ],
  files: (install) => [
    ...serviceFolders(install),
    // Done before the unit is there and undone after it is gone.
    {
      kind: 'command',
      what: `systemd forgets ${install.layout.unit} once it is removed`,
      run: ['systemctl', 'daemon-reload'],
      undo: ['systemctl', 'daemon-reload']
    },
    { kind: 'file', path: install.layout.unitFile, text: unitText(install), mode: 0o644, owner: 'root' }
  ],
  start: (install) => [...startActions(install), ...namesActions(install)],
  commands: ({ layout: { unit } }) => [
    { what: 'Service', command: `systemctl status ${unit}` },
    { what: 'Logs', command: `journalctl -u ${unit} -f` }
  ]
}

const startActions = ({ layout: { unit, program, user }, version }: Install): Action[] => [
  { kind: 'command', what: `systemd knows ${unit}`, run: ['systemctl', 'daemon-reload'] },
  {
    kind: 'command',
    what: `${unit} starts at boot`,
    run: ['systemctl', 'enable', '--quiet', unit],
    undo: ['systemctl', 'disable', '--quiet', unit],
    isDone: ['systemctl', 'is-enabled', '--quiet', unit]
  },
  {
    kind: 'command',
    what: `${unit} runs`,
    // One that failed too often is not started again before it is forgotten.
    run: ['sh', '-c', 'systemctl reset-failed "$0" 2>/dev/null; exec systemctl restart "$0"', unit],
    undo: ['systemctl', 'stop', unit],
    // Done is a process of this version under its own user: an upgrade restarts it.
    isDone: ['sh', '-c', runsProgram, unit, `${program}/${version}/bin/node`, user],
    timeoutMs: 120_000
  }
]
