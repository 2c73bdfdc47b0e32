import type { ForwardsView } from '../../../src/node/api/control-api.ts'

const counts = { opened: 0, bytesIn: 0, bytesOut: 0 }

export const forwardsView: ForwardsView = {
  exposed: [{ name: 'web', to: '[::1]:80' }],
  listeners: [],
  live: [],
  totals: { in: counts, out: counts }
}
