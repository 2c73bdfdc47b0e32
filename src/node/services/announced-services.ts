import { isDeepStrictEqual } from 'node:util'
import { checkMaintenance, type Maintenance, type NodeRecord } from '../../registry/objects/record.ts'
import { maxServices, type Service, servicesBytes, sortedServices } from '../../registry/objects/service.ts'
import { inBackground } from '../../runtime/background.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { InvalidPayloadError, NotFoundError } from '../../runtime/errors.ts'
import type { Supervisor } from '../../runtime/supervisor.ts'
import { Throttle } from '../../runtime/throttle.ts'
import { type Kept, readKept, writeKept } from './kept-services.ts'
import { announcedAs, maxServicesBytes, type Offered, offered, type ServiceInit } from './offered.ts'
import { ServiceCheck } from './service-check.ts'

/** Place where a service was named. */
export type OfferSource = 'config' | 'command' | 'program'

export interface Offer {
  readonly service: Offered
  readonly source: OfferSource
  /** Reason why the others are not told of it; undefined: they are. */
  readonly refusal: string | undefined
}

export interface AnnouncedInit {
  readonly configured: () => readonly Offered[]
  /** File of what commands have said. */
  readonly file: string
  readonly clock: Clock
  readonly logger: Logger
  /** The record is to say something else. */
  readonly onChange: () => void
}

/** Checks of many services that begin at once make few records. */
const settleMs = 1_000

/** The services that this node offers to the others, by its configuration, by commands and by the program that it is a part of; and its maintenance. */
export class AnnouncedServices {
  readonly #init: AnnouncedInit
  readonly #programs: Offered[] = []
  readonly #checks = new Map<string, ServiceCheck>()
  readonly #telling: Throttle
  #kept: Kept
  #supervisor: Supervisor | undefined

  constructor(init: AnnouncedInit) {
    this.#init = init
    this.#kept = readKept(init.file, init)
    this.#telling = new Throttle(() => init.onChange(), settleMs)
  }

  /** Begins the checks; they end with the supervisor, and begin again at the next start. */
  start(supervisor: Supervisor): void {
    this.#supervisor = supervisor
    for (const check of this.#checks.values()) check.run(supervisor)
    this.#follow()
  }

  /** Services as the others are told of them now, ascending by name. */
  list(): Service[] {
    return sortedServices(
      this.offers()
        .filter(({ refusal }) => refusal === undefined)
        .map(({ service }) => announcedAs(service, this.stateOf(service)))
    )
  }

  /** The part of the record that is about them. */
  said(): Pick<NodeRecord, 'services' | 'maintenance'> {
    const { maintenance } = this
    return { services: this.list(), ...(maintenance !== undefined && { maintenance }) }
  }

  /** undefined: this node takes work. */
  get maintenance(): Maintenance | undefined {
    return this.#kept.maintenance
  }

  stateOf({ name }: Pick<Offered, 'name'>): Service['state'] {
    return this.maintenance === undefined ? (this.#checks.get(name)?.state ?? 'unknown') : 'maintenance'
  }

  checkOf({ name }: Pick<Offered, 'name'>): ServiceCheck | undefined {
    return this.#checks.get(name)
  }

  /** All that are named; the first of a name counts, in the order configuration, commands, program. */
  offers(): Offer[] {
    const offers: Offer[] = []
    const all = [
      ...this.#init.configured().map(named('config')),
      ...this.#kept.services.map(named('command')),
      ...this.#programs.map(named('program'))
    ]
    for (const { service, source } of all) offers.push({ service, source, refusal: refusalOf(service, offers) })
    return offers
  }

  /**
   * Tells the others of a service until it is disposed of, or this process ends.
   * @throws InvalidPayloadError for one that is none, whose name is taken, or for which the record has no room
   */
  announce(init: ServiceInit): Disposable {
    const service = this.#judged(init)
    this.#programs.push(service)
    this.changed()
    return {
      [Symbol.dispose]: () => {
        const at = this.#programs.indexOf(service)
        if (at < 0) return
        this.#programs.splice(at, 1)
        this.changed()
      }
    }
  }

  /** The same until it is removed, over restarts. @throws InvalidPayloadError; the error of the system when it cannot be kept */
  add(init: ServiceInit): Offered {
    const service = this.#judged(init)
    this.#keep({ ...this.#kept, services: [...this.#kept.services, service] })
    return service
  }

  /** @throws NotFoundError for one that no command has added */
  remove(name: string, { plan = false } = {}): void {
    const services = this.#kept.services.filter((service) => service.name !== name)
    if (services.length === this.#kept.services.length) throw new NotFoundError(this.#whyNot(name))
    if (!plan) this.#keep({ ...this.#kept, services })
  }

  /** undefined: it is over. @throws InvalidPayloadError for a reason that no record holds */
  setMaintenance(reason: string | undefined): void {
    const { maintenance: before, ...kept } = this.#kept
    if (reason === undefined) {
      this.#keep(kept)
      return
    }
    const maintenance = { sinceMs: before?.sinceMs ?? this.#init.clock.now(), reason }
    checkMaintenance(maintenance)
    this.#keep({ ...kept, maintenance })
  }

  /** The configuration is another one, or what is offered. */
  changed(): void {
    this.#follow()
    this.#telling.ask()
  }

  #keep(kept: Kept): void {
    writeKept(this.#init.file, kept)
    this.#kept = kept
    this.changed()
  }

  #judged(init: ServiceInit): Offered {
    const service = offered(init)
    const refusal = refusalOf(service, this.offers())
    if (refusal !== undefined) throw new InvalidPayloadError(`${service.name} cannot be announced: ${refusal}`)
    return service
  }

  #whyNot(name: string): string {
    const found = this.offers().find(({ service }) => service.name === name)
    if (found === undefined) return `there is no service ${name}`
    return found.source === 'config'
      ? `${name} stands in the configuration: take it out of \`services\` there, then trustnet reload`
      : `${name} is announced by the program that this node is a part of`
  }

  /** Checks what is offered now, and nothing else. */
  #follow(): void {
    const wanted = new Map(
      this.offers()
        .filter(({ refusal, service }) => refusal === undefined && service.check !== undefined)
        .map(({ service }) => [service.name, service])
    )
    for (const [name, check] of this.#checks) {
      if (isDeepStrictEqual(check.service, wanted.get(name))) continue
      this.#checks.delete(name)
      inBackground(check.stop(), 'ending the check of a service')
    }
    for (const [name, service] of wanted) {
      if (this.#checks.has(name)) continue
      const { clock, logger } = this.#init
      const check = new ServiceCheck({ service, clock, logger, onChange: () => this.#telling.ask() })
      this.#checks.set(name, check)
      if (this.#supervisor !== undefined) check.run(this.#supervisor)
    }
  }
}

const named = (source: OfferSource) => (service: Offered) => ({ service, source })

/** The reason why a service cannot be announced beside those before it. */
function refusalOf({ name, ...service }: Offered, before: readonly Offer[]): string | undefined {
  const told = before.filter(({ refusal }) => refusal === undefined)
  const same = told.find((each) => each.service.name === name)
  if (same !== undefined) return `${sources[same.source]} has a service of this name`
  if (told.length >= maxServices) return `a node announces ${maxServices} services at most`
  const all = [...told.map((each) => each.service), { name, ...service }]
  const bytes = servicesBytes(all.map((each) => announcedAs(each, 'unknown')))
  if (bytes <= maxServicesBytes) return undefined
  return `all names and tags would have ${bytes} bytes in the record of the node, where there is room for ${maxServicesBytes}`
}

const sources: Record<OfferSource, string> = {
  config: 'the configuration',
  command: '`trustnet service add`',
  program: 'the program that this node is a part of'
}
