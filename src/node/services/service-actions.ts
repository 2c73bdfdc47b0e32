import { ageOf } from '../../runtime/clock-and-logger.ts'
import type { NodeParts } from '../node-parts.ts'
import { announcedAs, type ServiceInit } from './offered.ts'
import type { ServiceChangeView, ServicesView } from './service-views.ts'

type Parts = Pick<NodeParts, 'announced' | 'clock'>

interface RemoveServiceInput {
  readonly name: string
  readonly plan?: boolean | undefined
}

/** Services of this node as its operator sees them, also those that the others are not told of. */
export function servicesView({ announced, clock }: Parts): ServicesView {
  const services = announced.offers().map(({ service, source, refusal }) => {
    const last = announced.checkOf(service)?.last
    return {
      ...announcedAs(service, announced.stateOf(service)),
      tags: [...service.tags],
      source,
      refusal: refusal ?? null,
      check: service.check ?? null,
      everyMs: service.everyMs ?? null,
      checkedAgeMs: last === undefined ? null : Math.round(ageOf(clock, last.at)),
      result: last?.detail ?? null
    }
  })
  return { services, maintenance: announced.maintenance ?? null }
}

/** @throws InvalidPayloadError */
export function addService({ announced }: Parts, init: ServiceInit): ServiceChangeView {
  const { name, check, port, protocol } = announced.add(init)
  const state = check === undefined ? 'nothing checks it' : `it is checked by ${check}`
  return { name, message: `${name} at ${port}/${protocol} is announced; ${state}` }
}

/** @throws NotFoundError */
export function removeService({ announced }: Parts, { name, plan = false }: RemoveServiceInput): ServiceChangeView {
  announced.remove(name, { plan })
  return { name, message: plan ? `${name} would be announced no more` : `${name} is announced no more` }
}

/** @throws InvalidPayloadError for a reason that is none */
export function setMaintenance({ announced }: Parts, reason: string | undefined): ServiceChangeView {
  const before = announced.maintenance
  announced.setMaintenance(reason)
  if (reason === undefined) {
    const message =
      before === undefined ? 'this node takes work already' : 'the maintenance is over: this node takes work again'
    return { name: null, message }
  }
  return {
    name: null,
    message: 'this node is under maintenance: its services are not listed as healthy until `trustnet maintenance off`'
  }
}
