import type { IStatefulSet } from 'kubernetes-models/apps/v1/StatefulSet'
import type { IContainer } from 'kubernetes-models/v1/Container'
import type { IProbe } from 'kubernetes-models/v1/Probe'
import type { IVolume } from 'kubernetes-models/v1/Volume'
import type { Install } from '../model/deployment.ts'
import { labelsOf, namespace, objectName, secretFolder, secretKey, selectorOf } from './kubernetes-names.ts'

/** The user of the image. */
const user = 1000
const home = '/var/lib/trustnet'

/** Security context that the restricted standard asks of a container, and a file system that it cannot write to. */
const securityContext = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] }
}

const resources = { requests: { cpu: '100m', memory: '192Mi' }, limits: { memory: '1Gi' } }

/** An answer over the control socket: the event loop turns. It says nothing about the network, which no restart mends. */
const answers = (install: Install, every: Pick<IProbe, 'periodSeconds' | 'failureThreshold'>): IProbe => ({
  exec: { command: ['trustnet', 'status', '--node', install.answers.name] },
  timeoutSeconds: 10,
  ...every
})

const volumeMounts = (install: Install): NonNullable<IContainer['volumeMounts']> => [
  { name: 'data', mountPath: home },
  // A socket does not belong on a volume that may be of the network.
  { name: 'run', mountPath: `${home}/run` },
  { name: 'tmp', mountPath: '/tmp' },
  ...(secretKey(install) === undefined ? [] : [{ name: 'secret', mountPath: secretFolder, readOnly: true }])
]

const shared = (install: Install) => ({
  image: install.answers.image ?? '',
  envFrom: [{ configMapRef: { name: objectName(install) } }],
  securityContext,
  resources,
  volumeMounts: volumeMounts(install)
})

/** A root makes its network once. The passphrase of the recovery kit comes from the Secret. */
const initialise = (install: Install): IContainer => ({
  name: 'init',
  ...shared(install),
  workingDir: home,
  env: [{ name: 'TRUSTNET_RECOVERY_PASSPHRASE_FILE', value: `${secretFolder}/passphrase` }],
  command: ['/bin/sh', '-c', 'umask 077; test -e "$TRUSTNET_NAME.yaml" || exec trustnet init --name "$TRUSTNET_NAME"']
})

const node = (install: Install): IContainer => ({
  name: 'trustnet',
  ...shared(install),
  args: ['node', 'start'],
  ports: [{ name: 'trustnet', containerPort: install.answers.port, protocol: 'TCP' }],
  startupProbe: answers(install, { periodSeconds: 5, failureThreshold: 24 }),
  livenessProbe: answers(install, { periodSeconds: 30, failureThreshold: 3 }),
  readinessProbe: { tcpSocket: { port: 'trustnet' }, periodSeconds: 10 }
})

const volumes = (install: Install): IVolume[] => [
  { name: 'run', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
  { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } },
  // Once it is admitted the node needs it no more, and the Secret may go.
  ...(secretKey(install) === undefined
    ? []
    : [{ name: 'secret', secret: { secretName: objectName(install), defaultMode: 0o440, optional: true } }])
]

export const statefulSet = (install: Install): IStatefulSet => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: objectName(install), namespace, labels: labelsOf(install) },
  spec: {
    serviceName: objectName(install),
    // One key, one member: another replica would be another node.
    replicas: 1,
    selector: { matchLabels: selectorOf(install) },
    template: {
      metadata: { labels: labelsOf(install) },
      spec: {
        automountServiceAccountToken: false,
        // Kubernetes would name variables TRUSTNET_… after the Service.
        enableServiceLinks: false,
        terminationGracePeriodSeconds: 10,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: user,
          runAsGroup: user,
          fsGroup: user,
          fsGroupChangePolicy: 'OnRootMismatch',
          seccompProfile: { type: 'RuntimeDefault' }
        },
        ...(install.answers.role === 'root' ? { initContainers: [initialise(install)] } : {}),
        containers: [node(install)],
        volumes: volumes(install)
      }
    },
    volumeClaimTemplates: [
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'data', labels: selectorOf(install) },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Gi' } } }
      }
    ]
  }
})
