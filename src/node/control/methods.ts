export const apiPrefix = '/v1/'

/**
 * Each route is a method of ControlApi; GET takes its input from the query string, POST from a JSON body. Apart from the
 * routes themselves, so that a command which only asks does not load the validation of what is asked.
 */
export const methods = {
  status: 'GET',
  peers: 'GET',
  lookup: 'GET',
  why: 'GET',
  identity: 'GET',
  address: 'GET',
  'registry/status': 'GET',
  'registry/nodes': 'GET',
  'registry/log': 'GET',
  'registry/pending': 'GET',
  'registry/approve': 'POST',
  'registry/reject': 'POST',
  'registry/reject-all': 'POST',
  'registry/backup': 'POST',
  'registry/fetch': 'POST',
  'registry/clock': 'GET',
  'registry/clock/accept': 'POST',
  'registry/void': 'GET',
  'registry/void/dismiss': 'POST',
  'registry/resume': 'POST',
  invite: 'POST',
  'invite/list': 'GET',
  'invite/cancel': 'POST',
  policy: 'GET',
  'policy/set': 'POST',
  join: 'POST',
  leave: 'POST',
  revoke: 'POST',
  connect: 'POST',
  disconnect: 'POST',
  acknowledge: 'POST'
} as const

export type RouteName = keyof typeof methods
