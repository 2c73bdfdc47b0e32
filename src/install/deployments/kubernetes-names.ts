import type { Install } from '../model/deployment.ts'

/** Namespace of all nodes in one cluster. */
export const namespace = 'trustnet'
/** Folder in which the pod finds its secret: of an invite, or of the recovery kit of a new network. */
export const secretFolder = '/run/secrets/trustnet'

export const objectName = (install: Install): string => `trustnet-${install.answers.name}`

/** The file of the secret, and its key in the Secret; undefined: this node needs none. */
export const secretKey = ({ answers: { trust } }: Install): string | undefined =>
  trust.kind === 'invite' ? 'invite' : trust.kind === 'new' ? 'passphrase' : undefined

export const labelsOf = ({ answers }: Install): Record<string, string> => ({
  'app.kubernetes.io/name': 'trustnet',
  'app.kubernetes.io/instance': answers.name,
  'app.kubernetes.io/component': answers.role
})

/** Labels that a selector may hold: the role of a node can change. */
export const selectorOf = ({ answers }: Install): Record<string, string> => ({
  'app.kubernetes.io/name': 'trustnet',
  'app.kubernetes.io/instance': answers.name
})
