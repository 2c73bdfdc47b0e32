import type { Output } from '../../node/api/control-api.ts'
import { InstallError } from '../errors.ts'
import type { Action, CommandAction } from '../model/action.ts'
import type { Answers } from '../model/answers.ts'
import { type Check, fail, pass } from '../model/check.ts'
import type { Deployment, Install, NextCommand, StatusSource } from '../model/deployment.ts'
import type { MachineFacts } from '../model/facts.ts'
import type { Tools } from '../model/tools.ts'
import { manifestText, namespaceText } from './kubernetes-files.ts'
import { namespace, objectName, secretKey, selectorOf } from './kubernetes-names.ts'

const filesFolder = '/etc/trustnet-kubernetes'
const folderOf = ({ answers }: Install): string => `${filesFolder}/${answers.name}`
const manifestFile = (install: Install): string => `${folderOf(install)}/manifests.yaml`
const secretFile = (install: Install): string => `${folderOf(install)}/${secretKey(install)}`

const kubectl = (...args: readonly string[]): string[] => ['kubectl', '--namespace', namespace, ...args]
const selected = (install: Install): string =>
  Object.entries(selectorOf(install))
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
const namespaceFile = `${filesFolder}/namespace.yaml`
const apply = (file: string): string[] => ['kubectl', 'apply', '--filename', file]
const createSecret = (install: Install): string[] =>
  kubectl(
    'create',
    'secret',
    'generic',
    objectName(install),
    `--from-file=${secretKey(install)}=${secretFile(install)}`
  )
const pod = (install: Install): string => `${objectName(install)}-0`
const inPod = (install: Install, ...command: readonly string[]): string[] =>
  kubectl('exec', pod(install), '--', ...command)

/** Names of objects have 63 characters, and the pod's has two more than that of its set. */
const maxName = 63 - 'trustnet--0'.length

const no = (reason: string, fix: string): Check => fail('deployment', 'Deployment', reason, fix)

export const clusterCheck = ({ programs }: Pick<MachineFacts, 'programs'>, answers?: Answers): Check => {
  if (answers !== undefined && answers.name.length > maxName) {
    return no(`${answers.name} is too long for names of objects`, `choose one of at most ${maxName} characters`)
  }
  if (answers?.start === false) return pass('deployment', 'Deployment', 'manifests for Kubernetes; nothing is applied')
  if (programs.get('kubectl') === undefined) {
    return no('kubectl is not on this machine', 'install it, or leave --start out: the manifests alone are written')
  }
  if (answers !== undefined && programs.get('cluster') === undefined) {
    return no(
      'kubectl reaches no cluster',
      'kubectl version, with KUBECONFIG as sudo keeps it; without --start the manifests alone are written'
    )
  }
  return pass('deployment', 'Deployment', 'kubectl reaches a cluster')
}

const files = (install: Install): Action[] => {
  const secret = secretKey(install)
  const line = install.answers.trust.kind === 'invite' ? install.answers.trust.line : '@PASSPHRASE@'
  const shared = { kind: 'file', owner: 'root' } as const
  return [
    { kind: 'folder', path: filesFolder, mode: 0o755, owner: 'root' },
    { kind: 'folder', path: folderOf(install), mode: 0o700, owner: 'root' },
    { ...shared, path: namespaceFile, text: namespaceText(), mode: 0o644 },
    { ...shared, path: manifestFile(install), text: manifestText(install), mode: 0o644 },
    ...(secret === undefined
      ? []
      : [{ ...shared, path: secretFile(install), text: `${line}\n`, mode: 0o600, secret: true, filled: true as const }])
  ]
}

const rolloutMs = 300_000

const start = (install: Install): CommandAction[] => {
  if (!install.answers.start) return []
  const name = objectName(install)
  const secret: CommandAction = {
    kind: 'command',
    what: `Secret ${name}, from ${secretFile(install)}`,
    run: createSecret(install),
    isDone: kubectl('get', 'secret', name),
    undo: kubectl('delete', 'secret', name, '--ignore-not-found')
  }
  const claim = `the volume of ${name}, with the keys`
  return [
    { kind: 'command', what: `namespace ${namespace} is there`, run: apply(namespaceFile) },
    // Before the pod, which does without it once it is a member.
    ...(secretKey(install) === undefined ? [] : [secret]),
    {
      kind: 'command',
      what: `objects of ${manifestFile(install)} are applied`,
      run: apply(manifestFile(install)),
      undo: kubectl(
        'delete',
        'statefulset,service,networkpolicy,configmap',
        '--selector',
        selected(install),
        '--ignore-not-found'
      ),
      purge: {
        run: kubectl('delete', 'persistentvolumeclaim', '--selector', selected(install), '--ignore-not-found'),
        kept: `kept: ${claim}; kubectl --namespace ${namespace} delete pvc --selector ${selected(install)} removes it`
      },
      timeoutMs: 120_000
    },
    {
      kind: 'command',
      what: `pod ${pod(install)} is ready`,
      run: kubectl('rollout', 'status', `statefulset/${name}`, `--timeout=${rolloutMs / 1000}s`),
      timeoutMs: rolloutMs + 10_000
    }
  ]
}

/** The command line inside the pod speaks to the node, and answers in JSON. */
const source = (install: Install, run: Tools['run']): StatusSource => {
  const ask = async <T>(...command: readonly string[]): Promise<T> => {
    const said = await run(inPod(install, 'trustnet', ...command, '--node', install.answers.name, '--json'))
    if (said.code !== 0)
      throw new InstallError(
        `trustnet ${command.join(' ')} in ${pod(install)}: ${said.err.replace(/^\{.*$/m, '').trim()}`
      )
    const view: T = JSON.parse(said.out)
    return view
  }
  return {
    status: () => ask<Output<'status'>>('status'),
    peers: () => ask<Output<'peers'>>('peers'),
    registryStatus: () => ask<Output<'registryStatus'>>('registry', 'status')
  }
}

const commands = (install: Install): NextCommand[] => {
  const at = (...command: readonly string[]): string => inPod(install, 'trustnet', ...command).join(' ')
  const running: NextCommand[] = [
    ...(install.answers.role === 'root' ? [{ what: 'Add a machine', command: at('invite') }] : []),
    { what: 'Who is there', command: at('peers') },
    { what: 'How it is', command: at('status') },
    { what: 'Logs', command: kubectl('logs', '--follow', pod(install)).join(' ') },
    { what: 'Remove it', command: `trustnet uninstall --node ${install.answers.name}` }
  ]
  if (install.answers.start) return running
  const byHand = [
    apply(namespaceFile),
    ...(secretKey(install) === undefined ? [] : [createSecret(install)]),
    apply(manifestFile(install))
  ]
  return [
    { what: 'Start it', command: `trustnet install --name ${install.answers.name} --start` },
    ...byHand.map((command) => ({ what: 'By hand', command: command.join(' ') })),
    ...running
  ]
}

/** A pod of a cluster that this machine reaches, or the manifests for one. */
export const kubernetes: Deployment = {
  name: 'kubernetes',
  about: 'a pod with a volume in a cluster, held to the restricted standard; needs an image in a registry',
  isElsewhere: true,
  check: clusterCheck,
  files,
  start,
  commands,
  source,
  recoveryKit: (install) =>
    `in the volume: ${inPod(install, 'cat', `/var/lib/trustnet/data/${install.answers.name}/recovery.kit`).join(' ')}`
}
