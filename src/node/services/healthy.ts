import type { PeerRow } from '../api/views.ts'

/** Part of a row that says whether its services may be called. */
type Callable = Pick<PeerRow, 'state' | 'services' | 'maintenance'>

/** True where the member has the service, with that tag, and nothing says that it cannot be called now. One that nothing checks counts as long as its node is there. */
export const offersHealthy = ({ state, services, maintenance }: Callable, name: string, tag?: string): boolean =>
  (state === 'online' || state === 'late') &&
  maintenance === null &&
  services.some((service) => fits(service, name, tag) && (service.state === 'passing' || service.state === 'unknown'))

/** True where the member has the service, with that tag. */
export const offers = ({ services }: Pick<PeerRow, 'services'>, name: string, tag?: string): boolean =>
  services.some((service) => fits(service, name, tag))

const fits = (service: PeerRow['services'][number], name: string, tag: string | undefined): boolean =>
  service.name === name && (tag === undefined || service.tags.includes(tag))
