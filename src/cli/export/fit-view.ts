import type { Output } from '../../node/api/control-api.ts'
import { ControlError } from '../../node/api/errors.ts'
import { normalDomain } from '../../node/config/domain.ts'

type Peers = Output<'peers'>

/** A PeerId, a state, a role, a protocol, a time: nothing that ends a line, a quote or a field anywhere. */
const word = /^[\w.:+-]{1,128}$/

/**
 * Makes sure that nothing of a view gets into a file of another program but words, labels and numbers, for what is not cleaned elsewhere (names,
 * tags, versions, addresses): the process that answers may be that of a user who was taken over, and the files are root's.
 * @throws ControlError
 */
export function requireFit({ generatedAt, view, network, peers }: Peers): void {
  const domain = network?.domain ?? undefined
  const words: unknown[] = [generatedAt, view.peerId, ...(view.name === null ? [] : [view.name])]
  for (const { peerId, role, state, services } of peers) {
    words.push(peerId, state, ...(role === null ? [] : [role]))
    for (const service of services) {
      words.push(service.name, service.protocol, service.state)
      if (!Number.isInteger(service.port)) throw unfit('a service whose port is no number')
    }
  }
  const wrong = words.filter((each) => typeof each !== 'string' || !word.test(each))
  if (wrong.length > 0) throw unfit(`${JSON.stringify(wrong[0])}, where a word or a name is due`)
  if (domain !== undefined && normalDomain(domain) !== domain) throw unfit(`'${domain}' as its domain`)
}

const unfit = (what: string): ControlError =>
  new ControlError(
    `What the process says is fit for no file: ${what}. Nothing was written; look at who runs it (trustnet status).`,
    'UnsupportedVersionError',
    400
  )
