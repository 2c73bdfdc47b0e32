import { InvalidPayloadError } from '../../runtime/errors.ts'
import type { HttpPart } from '../http/part.ts'
import { rowAddresses } from './named-addresses.ts'
import { prometheusTargets } from './prometheus-sd.ts'

/** `/prometheus-sd`: members and their services as Prometheus' HTTP service discovery asks for them. */
export const prometheusSdPart: HttpPart = (app, { api, signal, shared }) => {
  app.get('/prometheus-sd', (c) => {
    const { service, tag, port } = c.req.query()
    const filter = { service, tag, port: port === undefined ? undefined : portOf(port) }
    return shared(c, 'application/json', async () => {
      const view = await api.peers({}, { signal })
      return JSON.stringify(prometheusTargets(view, rowAddresses(view.peers), filter))
    })
  })
}

const portOf = (text: string): number => {
  const port = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65_535) throw new InvalidPayloadError('`port` is a whole number from 1 to 65535')
  return port
}
