import { z } from 'zod'
import * as services from '../services/service-views.ts'
import * as compare from './compare-views.ts'
import * as documents from './document-views.ts'
import * as history from './history-views.ts'
import * as invites from './invite-views.ts'
import * as matrix from './matrix-views.ts'
import { count, groups, peer, plan, reason, role } from './parts.ts'
import * as past from './past-views.ts'
import * as policy from './policy-views.ts'
import * as running from './process-views.ts'
import * as registry from './registry-views.ts'
import { ask, order, type Route, tell } from './route.ts'
import { storeRoutes } from './stores/store-routes.ts'
import * as topology from './topology-views.ts'
import * as views from './views.ts'
import { logLevels } from './words.ts'

const path = z.string().min(1).max(4096)
const inviteId = z.string().min(1).max(32)

/**
 * Everything that a running process can be asked and told: from here come the server with its checks, the client of the commands, their
 * types and docs/schemas. An operation is a row here and its handler in control/handlers.ts.
 */
export const routes = {
  health: ask.process('Whether this process is well, part by part', running.healthView, {}, '/health'),
  ready: ask.process('Whether this process can serve', running.readyView, {}, '/ready'),
  version: ask.process('Version, commit and build time', running.versionView, {}, '/version'),
  connections: ask.process('Open connections, those of strangers too', running.connectionsView, {}, '/connections'),
  stats: ask.process('Figures of this process', running.statsView, {}, '/stats'),
  status: ask.process('How this process is, and what is to be done', views.statusView, {}, '/connection/status'),
  peers: ask.process('Everybody, unfiltered: self first, then registries, then by name', views.peersView, {}, '/peers'),
  lookup: ask.network('Members that fit, page by page', views.lookupView, views.lookupInput, '/lookup'),
  why: ask.network('Why a peer is as it is shown', views.whyView, { peer }, '/why'),
  history: ask.network(
    'What happened to members and to this node, page by page',
    history.historyView,
    history.historyInput,
    '/history'
  ),
  timeline: ask.network(
    'How much of the last day each member was up, slot by slot',
    history.timelineView,
    history.timelineInput,
    '/timeline'
  ),
  topology: ask.network('Who is connected to whom, as far as is known', topology.topologyView, {}, '/topology'),
  matrix: ask.network('Who reaches whom, as members say', matrix.matrixView, matrix.matrixInput, '/matrix'),
  compare: ask.network(
    'Members about whom views differ, of this node and of members',
    compare.compareView,
    { with: z.string().min(1).max(2048).describe('by comma: names, `self`, or the roles `root` and `secondary`') },
    '/compare'
  ),
  logLevel: tell.process('Changes how much this process logs, until it ends', topology.logLevelView, {
    level: z.enum(logLevels),
    service: z.string().min(1).max(64).describe('a part of libp2p: `gossipsub`; default: all that is ours').optional()
  }),
  metrics: ask.process('The metrics of this process; durations where it has an HTTP API', topology.metricsView, {}),
  recentLog: ask.process('The last lines that this process logged', topology.recentLogView, {}),
  identity: ask.process('The key, name and addresses of this node', views.identityView, {}),
  reload: tell.process('Reads the configuration anew', views.reloadView, {}),
  rotateIdentity: tell.network('Gives this node another key; the old one is void', views.rotateIdentityView, {
    plan: plan.optional()
  }),
  address: ask.process("A member's own address; without a peer this node's", views.addressView, {
    peer: peer.optional()
  }),

  registryStatus: ask.network('Log, store and registries', registry.registryStatusView, {}, '/registries'),
  registryNodes: ask.network('What this registry knows of each member', registry.registryNodesView, {}, '/nodes'),
  log: ask.network('Entries of the log, page by page', registry.logView, registry.logInput, '/log'),
  registryAt: ask.network(
    'The network as it was after an entry, or at a time',
    past.pastView,
    past.placeInput,
    '/log/at'
  ),
  logDiff: ask.network('What changed between two places of the log', past.logDiffView, past.diffInput, '/log/diff'),
  pending: ask.network('Joins that wait', registry.pendingView, {}),
  approve: order('Lets in one that waits', views.changeView, { peer }),
  reject: order('Turns away one that waits', views.changeView, { peer, reason, plan: plan.optional() }),
  rejectAll: tell.root('Turns away all that wait, or those that fit', registry.rejectedView, {
    olderMs: count.describe('wait for at least so long').optional(),
    matching: z.string().max(253).describe('a pattern of names; `*` is any text').optional(),
    reason,
    plan: plan.optional()
  }),
  clock: ask.network('What the clocks of process, machine and log say', registry.clockView, {}),
  acceptClock: tell.network(
    'The clock of this machine is right: it is followed, a root signs again',
    registry.clockView,
    {}
  ),
  heldBack: ask.network(
    'Members that are silent and not called offline, as the fault may be here',
    registry.evictView,
    {}
  ),
  evict: tell.network('The fault is not here: those are offline', registry.evictView, {}),
  voidRevokes: ask.root(
    'Revokes and ends of memberships by log keys of older epochs that wait for the operator',
    registry.voidRevokesView,
    {}
  ),
  dismissVoid: tell.root('Takes a member off that list, and tells everybody that it stays', views.changeView, { peer }),
  backup: tell.network('Makes a backup, into a new file or the folder of all', registry.backupView, {
    to: path.optional()
  }),
  prepareEntry: tell.root(
    'Gives the place for an entry of the authority, which the root keeps free',
    registry.preparedView,
    {
      kind: z.enum(['authority', 'delegate']).describe('the next authority, or a new log key')
    }
  ),
  enterEntry: tell.root('Enters what the authority has signed for that place', registry.enteredView, {
    entry: z.string().max(8192).describe('envelope, base64')
  }),
  moveRoot: tell.network(
    'Moves the log of the root to what the configuration names',
    running.movedRootView,
    running.moveRootInput
  ),
  spread: ask.network('Which members hold the log up to an entry; asks those that are connected', registry.spreadView, {
    epoch: count,
    n: count
  }),
  resume: tell.root('Lets a restored root append without the heads of others', views.changeView, {
    head: count.describe('the entry that its log ends at')
  }),

  invite: order('Makes an invite', invites.inviteView, invites.inviteInput),
  invites: ask.network('Open invites, or the one whose id begins so', invites.invitesView, {
    id: inviteId.optional(),
    all: z.boolean().describe('ended ones, too, the newest 500 whose entries are kept').optional()
  }),
  cancelInvite: order('Takes an invite back', invites.inviteEndView, {
    id: inviteId,
    reason,
    plan: plan.optional()
  }),
  checkpoint: ask.network('The newest checkpoint', registry.checkpointView, {
    note: z.boolean().describe('also as a signed note, which only the root can make').optional()
  }),
  witnessLines: tell.network('Takes the lines that witnesses have added to a note', registry.witnessLinesView, {
    note: z.string().max(16_384).describe('the note with its lines')
  }),
  policy: ask.network('The policy of the network', policy.policyView, {}, '/policy'),
  previewPolicy: ask.network('What a change of the policy would do', policy.policyPreview, policy.changesInput),
  policyCall: ask.network('Whether a member may call a service at another', policy.policyCall, {
    from: peer,
    to: peer,
    service: z.string().min(1).max(63)
  }),
  setPolicy: order('Changes values of the policy', policy.policyView, {
    ...policy.changesInput,
    seen: count.describe('entry of the policy that the asker saw: a later one refuses the change').optional(),
    force: z.boolean().describe('also a policy that locks members out').optional()
  }),
  join: tell.process('Hands an invite line to a process that is not admitted yet', views.joinView, {
    line: z.string().max(16_384)
  }),
  leave: tell.network('Says goodbye; with forget it also ends the own membership', views.changeView, {
    forget: z.boolean(),
    reason: reason.optional(),
    plan: plan.optional()
  }),
  revoke: order('Shuts a key out for ever', views.changeView, { peer, reason, plan: plan.optional() }),

  members: ask.network('Members as the log says', views.membersView, {}, '/members'),
  changeMember: order('Changes name, role or groups of a member', views.changeView, {
    peer,
    name: z.string().max(63).optional(),
    role: role.optional(),
    groups: groups.optional(),
    plan: plan.optional()
  }),
  endMember: order('Ends a membership; the key may be admitted again', views.changeView, {
    peer,
    reason,
    plan: plan.optional()
  }),
  retireRegistry: order('Makes a secondary an ordinary member', views.changeView, { peer, plan: plan.optional() }),

  forwards: ask.process(
    'Services that members use of each other: exposed, listened for, in use',
    running.forwardsView,
    {},
    '/forwards'
  ),
  expose: tell.process('Lets members call a service of this machine', running.exposedView, {
    name: z.string().max(64),
    to: z.string().max(256).describe('[::1]:PORT or unix:PATH; default: the port of the announced service').optional()
  }),
  unexpose: tell.process('Exposes a service no longer', running.exposedView, { name: z.string().max(64) }),

  documents: ask.network('The register of documents', documents.documentsView, {}, '/documents'),
  document: ask.network(
    'A document with its bytes, the newest version by default',
    documents.documentView,
    documents.versionInput,
    '/documents/{id}'
  ),
  documentHistory: ask.network(
    'What the log still knows of a document',
    documents.documentHistoryView,
    documents.idInput
  ),
  publishDocument: tell.network(
    'Publishes the next version of a document',
    documents.publishedView,
    documents.publishInput
  ),
  retireDocument: order('Retires a document', documents.retiredView, documents.retireInput),
  allowPublisher: order('Lets a key publish documents', documents.publisherView, documents.publisherInput),
  removePublisher: order('Lets a key publish no more', documents.publisherView, documents.publisherInput),

  ...storeRoutes,

  services: ask.process('Services that this node offers', services.servicesView, {}, '/services'),
  addService: tell.process('Announces a service of this machine', services.serviceChangeView, services.addServiceInput),
  removeService: tell.process('Announces a service no more', services.serviceChangeView, services.removeServiceInput),
  maintenance: tell.process('Begins or ends a maintenance', services.serviceChangeView, services.maintenanceInput),

  operators: ask.network('The people whose orders count', registry.operatorsView, {}, '/operators'),
  addOperator: order('Enters an operator', registry.operatorView, {
    name: z.string().max(63),
    keyId: z.string().max(64).describe('the key, as a PeerId'),
    plan: plan.optional()
  }),
  removeOperator: order('Removes an operator', registry.operatorView, {
    name: z.string().max(63),
    plan: plan.optional()
  }),
  waitingOrders: order(
    'Acts that wait for a second operator, and joins that wait for one',
    registry.waitingOrdersView,
    {}
  ),
  approveOrder: order('Orders what another operator has ordered, too', registry.operatorView, {
    id: z.string().min(1).max(64)
  }),
  withdrawOrder: order('Takes back what waits for a second operator', registry.operatorView, {
    id: z.string().min(1).max(64),
    plan: plan.optional()
  }),
  beginOrdered: tell.network('Begins a call for an operator, who signs what it enters', registry.orderedView, {
    call: z.string().max(64),
    input: z.string().max(16_384).describe('its input, as JSON'),
    by: z
      .string()
      .max(64)
      .describe('made by the key that signs of this request: the answer is kept for it when nobody hears it')
      .optional()
  }),
  signOrdered: tell.network('Goes on with it', registry.orderedView, {
    ticket: z.string().max(64),
    orders: z.array(z.string().max(1024)).max(4).describe('base64')
  }),

  connect: tell.process(
    'Connects to an address; a node without a network looks for it there first',
    views.connectView,
    {
      multiaddr: z.string().max(512).optional(),
      peer: peer.describe('in place of an address: a member, at the addresses that are known').optional()
    }
  ),
  ping: tell.network('One round trip to a member; connects first where needed', topology.pingView, { peer }),
  disconnect: tell.network('Closes the connections to a peer', views.disconnectView, { peer }),
  acknowledge: tell.process('Takes a warning or alarm out of the status word', views.acknowledgeView, {
    code: z.string().max(64)
  })
} as const satisfies Record<string, Route>

export type Routes = typeof routes
export type RouteName = keyof Routes
