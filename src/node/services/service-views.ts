import { z } from 'zod'
import {
  ageOrNull,
  answer,
  type Body,
  maintenance,
  service,
  text,
  textOrNull,
  whole,
  wholeOrNull
} from '../api/parts.ts'

// The JSON answers about the services that this node offers.

// A name that is too long is refused by the rules of a service, which say more than those of a request.
const someText = text.max(512)

export const addServiceInput = {
  name: someText,
  port: whole.min(0),
  protocol: z.enum(['tcp', 'udp']).describe('default tcp').optional(),
  tags: z.array(someText).max(64).optional(),
  check: someText.describe('`tcp`, or `http://[::1]:PORT/PATH`; default: none').optional(),
  everyMs: whole.min(0).describe('time between two checks; default 10 s').optional()
}

export const removeServiceInput = {
  name: someText,
  plan: z.boolean().describe('say what would happen, and change nothing').optional()
}
export const maintenanceInput = { on: z.boolean(), reason: someText.describe('at most 64 characters').optional() }

const offer = service.extend({
  source: z.enum(['config', 'command', 'program']).describe('where it was named'),
  refusal: textOrNull.describe('why the others are not told of it; null: they are'),
  check: textOrNull,
  everyMs: wholeOrNull.describe('time between two checks'),
  checkedAgeMs: ageOrNull('last check'),
  result: textOrNull.describe('of the last check; null: none yet, or none at all')
})

export const servicesView = answer('services', 'trustnet service list --json', {
  services: z.array(offer).describe('that this node offers'),
  maintenance
})

export const serviceChangeView = answer('service-change', 'trustnet service add|remove, maintenance on|off --json', {
  name: textOrNull.describe('service; null: maintenance'),
  message: text
})

export type ServicesView = Body<typeof servicesView>
export type ServiceChangeView = Body<typeof serviceChangeView>
