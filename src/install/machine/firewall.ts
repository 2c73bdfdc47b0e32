import type { CommandAction } from '../model/action.ts'
import type { Answers } from '../model/answers.ts'
import type { MachineFacts } from '../model/facts.ts'

/** True when others cannot reach the port for it. */
export const firewallCloses = ({ firewall }: Pick<MachineFacts, 'firewall'>, port: number): boolean =>
  firewall.dropsInbound && !firewall.open.includes(port)

/** Opens the port for good; empty: nothing closes it, or nobody wants it opened. */
export const firewallActions = (facts: Pick<MachineFacts, 'firewall'>, answers: Answers): CommandAction[] => {
  const { port, openFirewall } = answers
  if (!openFirewall || !firewallCloses(facts, port)) return []
  const { firewall } = facts
  const what = `${firewall.tool} lets in ${port}/tcp`
  if (firewall.tool === 'ufw') {
    return [
      { kind: 'command', what, run: ['ufw', 'allow', `${port}/tcp`], undo: ['ufw', 'delete', 'allow', `${port}/tcp`] }
    ]
  }
  if (firewall.tool === 'firewalld') return firewalld(what, port)
  const chain = firewall.chain
  const comment = `trustnet ${port}`
  const list = `nft -a list chain ${chain.join(' ')}`
  return [
    {
      kind: 'command',
      what: `${what} until the ruleset is loaded anew (add the rule to /etc/nftables.conf to keep it)`,
      run: ['nft', 'insert', 'rule', ...chain, 'tcp', 'dport', String(port), 'accept', 'comment', `"${comment}"`],
      isDone: ['sh', '-c', `${list} | grep -q 'comment "${comment}"'`],
      undo: [
        'sh',
        '-c',
        `${list} | sed -n 's/.*comment "${comment}".*# handle \\([0-9]*\\)$/\\1/p' | xargs -r -n 1 nft delete rule ${chain.join(' ')} handle`
      ]
    }
  ]
}

const firewalld = (what: string, port: number): CommandAction[] => [
  {
    kind: 'command',
    what,
    run: ['firewall-cmd', '--quiet', '--permanent', `--add-port=${port}/tcp`],
    undo: ['firewall-cmd', '--quiet', '--permanent', `--remove-port=${port}/tcp`]
  },
  {
    kind: 'command',
    what: `${what} now`,
    run: ['firewall-cmd', '--quiet', `--add-port=${port}/tcp`],
    undo: ['firewall-cmd', '--quiet', `--remove-port=${port}/tcp`]
  }
]
