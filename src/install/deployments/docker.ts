import type { Action, CommandAction } from '../model/action.ts'
import type { Answers } from '../model/answers.ts'
import { type Check, fail, pass } from '../model/check.ts'
import type { Deployment, Install, NextCommand } from '../model/deployment.ts'
import type { MachineFacts } from '../model/facts.ts'
import { hasOwner, serviceFolders } from '../model/service.ts'
import { composeText, containerName, dockerfileText, envText, imageOf } from './docker-files.ts'

/** Not below /etc/trustnet, which the service's user owns: what root runs is root's alone. */
const dockerFolder = '/etc/trustnet-docker'
const dockerfile = `${dockerFolder}/Dockerfile`
const folderOf = ({ answers }: Install): string => `${dockerFolder}/${answers.name}`

/** The plugin of the client, or the program that was there before it. */
const compose =
  'if docker compose version >/dev/null 2>&1; then exec docker compose "$@"; else exec docker-compose "$@"; fi'
const composeCommand = (install: Install, ...args: readonly string[]): string[] => {
  const project = ['--project-name', containerName(install), '--project-directory', folderOf(install)]
  return ['sh', '-c', compose, 'compose', ...project, '--file', `${folderOf(install)}/compose.yaml`, ...args]
}

const buildMs = 600_000
const pullMs = 600_000

const buildCommand = (install: Install): string[] => {
  const { program } = install.layout
  return ['docker', 'build', '--tag', imageOf(install), '--file', dockerfile, `${program}/${install.version}`]
}

const image = (install: Install): CommandAction => {
  const name = imageOf(install)
  const isDone = ['docker', 'image', 'inspect', name]
  const undo = ['docker', 'image', 'rm', name]
  return install.answers.image === null
    ? {
        kind: 'command',
        what: `image ${name} is built, unless it is there`,
        run: buildCommand(install),
        isDone,
        undo,
        timeoutMs: buildMs
      }
    : {
        kind: 'command',
        what: `image ${name} is fetched, unless it is there`,
        run: ['docker', 'pull', name],
        isDone,
        undo,
        timeoutMs: pullMs
      }
}

const tmpfilesText = ({ runtimeFolder, runtime, user }: Install['layout']): string =>
  `# Written by trustnet install: the folder of the control socket is there again after a reboot.
d ${runtimeFolder} 0755 root root -
d ${runtime} 0750 ${user} ${user} -
`

export const engineCheck = ({ programs }: Pick<MachineFacts, 'programs'>, answers?: Answers): Check => {
  const instead = 'with --start=false only its files are written'
  const no = (reason: string, fix: string): Check => fail('deployment', 'Deployment', reason, `${fix}; ${instead}`)
  if (answers?.start === false) return pass('deployment', 'Deployment', 'files for Docker; nothing is started')
  const version = programs.get('docker')
  if (version === undefined) {
    return no('no Docker engine answers here', 'install one (Debian: apt install docker.io) and start it')
  }
  if (programs.get('compose') === undefined) {
    return no(`Docker ${version} is without Compose`, 'install it (Debian: apt install docker-compose)')
  }
  return pass('deployment', 'Deployment', `Docker ${version}, Compose ${programs.get('compose')}`)
}

/** A container on the network of this machine, with configuration, keys and control socket in their usual places. */
export const docker: Deployment = {
  name: 'docker',
  about: 'a container that Docker keeps running: not root, read-only, on the network of this machine',
  check: engineCheck,
  rest: (install) => [
    {
      kind: 'command',
      what: `${containerName(install)} rests while its files change hands`,
      run: ['sh', '-c', 'docker stop "$0" >/dev/null 2>&1 || true', containerName(install)],
      isDone: ['sh', '-c', hasOwner, install.layout.data, install.layout.user]
    }
  ],
  files: (install): Action[] => {
    const { layout, answers } = install
    const folder = folderOf(install)
    return [
      ...serviceFolders(install),
      {
        kind: 'file',
        path: `/etc/tmpfiles.d/trustnet-${answers.name}.conf`,
        text: tmpfilesText(layout),
        mode: 0o644,
        owner: 'root'
      },
      { kind: 'folder', path: dockerFolder, mode: 0o755, owner: 'root' },
      { kind: 'folder', path: folder, mode: 0o755, owner: 'root' },
      ...(answers.image === null
        ? ([{ kind: 'file', path: dockerfile, text: dockerfileText(install), mode: 0o644, owner: 'root' }] as const)
        : []),
      {
        kind: 'file',
        path: `${folder}/compose.yaml`,
        text: composeText(install),
        mode: 0o644,
        owner: 'root',
        filled: layout.user
      },
      { kind: 'file', path: `${folder}/.env`, text: envText(install), mode: 0o644, owner: 'root', once: true },
      ...(answers.start ? [image(install)] : [])
    ]
  },
  start: (install) => {
    const name = containerName(install)
    const down = composeCommand(install, 'down', '--timeout', '10')
    return install.answers.start
      ? [
          {
            kind: 'command',
            what: `container ${name} runs`,
            run: composeCommand(install, 'up', '--detach', '--no-build'),
            undo: down,
            timeoutMs: 120_000
          }
        ]
      : [
          {
            kind: 'command',
            what: `container ${name}, once it was started, goes with this install`,
            run: ['true'],
            undo: ['sh', '-c', `docker version >/dev/null 2>&1 || exit 0\n${compose}`, ...down.slice(3)],
            timeoutMs: 120_000
          }
        ]
  },
  commands: (install): NextCommand[] => {
    const folder = folderOf(install)
    if (install.answers.start) {
      return [
        { what: 'Container', command: `docker ps --filter name=${containerName(install)}` },
        { what: 'Logs', command: `docker logs -f ${containerName(install)}` },
        {
          what: 'New settings',
          command: `trustnet install --name ${install.answers.name}   (they are in ${folder}/.env)`
        }
      ]
    }
    const byHand = [
      ...(install.answers.image === null ? [buildCommand(install).join(' ')] : []),
      `docker compose --project-directory ${folder} up -d`
    ]
    return [
      { what: 'Start it', command: `trustnet install --name ${install.answers.name} --start` },
      ...byHand.map((command) => ({ what: 'By hand', command }))
    ]
  }
}
