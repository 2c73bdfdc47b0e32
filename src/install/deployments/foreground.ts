import { pass } from '../model/check.ts'
import type { Deployment, Install } from '../model/deployment.ts'
import { serviceFolders } from '../model/service.ts'

const command = ({ layout }: Install): string[] => [layout.link, 'node', 'start', '--config', layout.configFile]

/** For machines without systemd: whoever runs the installer (a shell, a container, another supervisor) keeps the node running. */
export const foreground: Deployment = {
  name: 'foreground',
  about: 'runs under this command until it is stopped; for machines without systemd',
  check: () => pass('deployment', 'Deployment', 'the node runs under this command until it is stopped'),
  files: serviceFolders,
  start: (install) => [
    {
      kind: 'foreground',
      node: install.answers.name,
      user: install.layout.user,
      command: [...command(install), '--stop-with-stdin'],
      socket: install.layout.socket
    }
  ],
  commands: (install) => [
    {
      what: 'Start it again',
      command: `setpriv --reuid=${install.layout.user} --regid=${install.layout.user} --clear-groups ${command(install).join(' ')}`
    }
  ]
}
