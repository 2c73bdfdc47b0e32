import { z } from 'zod'
import { type Offered, offered } from '../../services/offered.ts'
import { duration, flag, integer, list, nodeName, oneOf, problem, refused, show, text } from '../fields.ts'

const parts = z
  .strictObject({
    name: nodeName(),
    port: integer(1, 65_535).optional(),
    protocol: oneOf(['tcp', 'udp']).optional(),
    tags: list(text(), 8).default([]),
    check: text().optional(),
    every: duration('1s', '1d').optional(),
    expose: flag().or(text()).default(false)
  })
  .refine(({ port, expose }) => port !== undefined || typeof expose === 'string', {
    path: ['port'],
    message: 'is missing: a service without one has expose: unix:PATH'
  })

/** `web:8080` and `dns:53/udp`, as the environment and flags have it. */
const spelled = (value: string): unknown => {
  const [, name, port, protocol] = /^([^:]+):(\d+)(?:\/(\w+))?$/.exec(value) ?? []
  return name === undefined ? undefined : { name, port, ...(protocol !== undefined && { protocol }) }
}

/** A service that the node announces. */
export const serviceField = () =>
  z.unknown().transform((value, context): Offered => {
    const given = typeof value === 'string' ? spelled(value) : value
    const parsed = parts.safeParse(given)
    if (given === undefined || !parsed.success) {
      const why = parsed.error?.issues.map(({ path, message }) => [...path, message].join(' ')).join('; ')
      const rule =
        'write {name: web, port: 8080, protocol: tcp, tags: [blue], check: tcp, every: 10s, expose: true}, or web:8080/tcp'
      return problem(context, `${show(value)} is no service${given === undefined ? '' : ` (${why})`}: ${rule}`)
    }
    const { every: everyMs, ...service } = parsed.data
    return refused(context, () => offered({ ...service, everyMs }))
  })
