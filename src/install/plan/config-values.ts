import type { Answers } from '../model/answers.ts'
import { httpValues } from '../model/http.ts'
import { namesValues } from '../model/names.ts'

/** Turns answers into keys of the configuration; paths are added by whoever knows them. */
export const configValues = (answers: Answers, inviteFile: string): Record<string, unknown> => ({
  name: answers.name,
  role: answers.role,
  domain: answers.domain,
  'listen.port': answers.port,
  'announce.addresses': answers.announce.length === 0 ? undefined : answers.announce,
  'bootstrap.rootAddress': answers.rootAddress ?? undefined,
  'admission.policy': answers.role === 'root' ? answers.policy : undefined,
  'root.store': answers.rootStore?.url,
  ...httpValues(answers),
  ...namesValues(answers),
  ...trustValues(answers, inviteFile)
})

const trustValues = ({ trust }: Answers, inviteFile: string): Record<string, unknown> => {
  switch (trust.kind) {
    case 'new':
      return {}
    case 'network':
      return { networkId: trust.id }
    case 'first-use':
      return { 'bootstrap.trustOnFirstUse': true }
    default:
      return { networkId: trust.networkId, 'network.pins': trust.pins, 'bootstrap.inviteFile': inviteFile }
  }
}
