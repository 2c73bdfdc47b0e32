import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import type { IConfigMap } from 'kubernetes-models/v1/ConfigMap'
import type { INamespace } from 'kubernetes-models/v1/Namespace'
import type { IService } from 'kubernetes-models/v1/Service'
import { Document, isMap, isScalar } from 'yaml'
import { keys } from '../../node/config/index.ts'
import type { Install } from '../model/deployment.ts'
import { configValues } from '../plan/config-values.ts'
import { labelsOf, namespace, objectName, secretFolder, selectorOf } from './kubernetes-names.ts'
import { statefulSet } from './kubernetes-pod.ts'

const metadata = (install: Install) => ({ name: objectName(install), namespace, labels: labelsOf(install) })

/** Pods are held to the strictest standard that Kubernetes has. */
const space = (): INamespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } }
})

/** As keys of the environment, which wins over the file in the volume, to which the node saves what it learns. */
const settings = ({ answers }: Install): Record<string, string> => {
  const values = new Map<string, unknown>([
    ...Object.entries(configValues(answers, `${secretFolder}/invite`)),
    ['logging.format', 'json']
  ])
  const known = keys.flatMap(({ yaml, env }) => {
    const value = values.get(yaml)
    if (value === undefined) return []
    return [[env, Array.isArray(value) ? value.join(',') : typeof value === 'string' ? value : JSON.stringify(value)]]
  })
  return { ...Object.fromEntries(known), TRUSTNET_HOME: '/var/lib/trustnet' }
}

const configMap = (install: Install): IConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: metadata(install),
  data: settings(install)
})

/** Without an address of its own: a name for the one pod, whose own address is what members dial. */
const service = (install: Install): IService => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: metadata(install),
  spec: {
    clusterIP: 'None',
    ipFamilies: ['IPv6'],
    ipFamilyPolicy: 'SingleStack',
    publishNotReadyAddresses: true,
    selector: selectorOf(install),
    ports: [{ name: 'trustnet', port: install.answers.port, targetPort: 'trustnet', protocol: 'TCP' }]
  }
})

/** In: the one port. Out: members at whatever port they have, and name servers. */
const networkPolicy = (install: Install): INetworkPolicy => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: metadata(install),
  spec: {
    podSelector: { matchLabels: selectorOf(install) },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [{ ports: [{ protocol: 'TCP', port: install.answers.port }] }],
    egress: [
      // Some networks do not count pods among the addresses of a block.
      { to: [{ ipBlock: { cidr: '::/0' } }, { namespaceSelector: {} }], ports: [{ protocol: 'TCP' }] },
      {
        ports: [
          { protocol: 'UDP', port: 53 },
          { protocol: 'TCP', port: 53 }
        ]
      }
    ]
  }
})

const remarks: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({
    Namespace: 'Shared by all TrustNet nodes of the cluster; it stays when one of them is removed.',
    ConfigMap: 'Settings, one TRUSTNET_SECTION_KEY each. After a change: kubectl rollout restart.',
    Service: 'A name for the pod.',
    NetworkPolicy: 'In: the one port. Out: other members, and name servers.',
    StatefulSet: 'The node, with a volume for its keys and its database.'
  })
)

/** All that is the node's own, but the Secret, which is made from a file and is in no manifest. */
const manifests = (install: Install) => [
  configMap(install),
  service(install),
  networkPolicy(install),
  statefulSet(install)
]

const commented = (manifest: { readonly kind: string }): string => {
  const document = new Document(manifest, { aliasDuplicateObjects: false })
  document.commentBefore = ` ${remarks.get(manifest.kind) ?? manifest.kind}`
  const data = document.get('data')
  for (const { key } of isMap(data) ? data.items : []) {
    if (!isScalar(key)) continue
    const doc = keys.find(({ env }) => env === key.value)?.doc ?? 'folder of configuration, keys and database'
    key.commentBefore = ` ${doc}`
  }
  return document.toString({ lineWidth: 0 })
}

/** Applied first: the Secret goes into it. */
export const namespaceText = (): string => commented(space())

export const manifestText = (install: Install): string => manifests(install).map(commented).join('---\n')
