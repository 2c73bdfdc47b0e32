import type { TopologyView } from '../../api/control-api.ts'
import type { ControlEvent, PeersView, StatusView } from '../../api/views.ts'
import { byId, say } from './dom.ts'
import { ask, follow } from './feed.ts'
import { Graph } from './graph.ts'
import { HistoryTab } from './history-tab.ts'
import { LogTab } from './log-tab.ts'
import { Members } from './members.ts'
import { showRegistries } from './registries.ts'
import { showTabs } from './tabs.ts'
import { showStatus } from './this-node.ts'

/** Ages, round trips and what no event tells. */
const refreshMs = 10_000
/** Pause between two readings that events ask for, and how many times as long as the reading took: a view of many thousands takes its time. */
const pauseMs = 1000
const pauseTimes = 10

const select = (peerId: string | undefined): void => {
  graph.select(peerId)
  members.select(peerId)
}

const graph = new Graph(select)
const members = new Members(select)
const history = new HistoryTab()
const log = new LogTab()

const tab = showTabs((shown) => {
  if (shown === 'network') graph.resize()
  readNow()
})

const showFailure = (error: unknown): void => {
  byId('summary').className = 'offline'
  say(
    byId('summary'),
    `The node does not answer: ${error instanceof Error ? error.message : String(error)}. Asks again …`
  )
}

/** Reads the heading, and what the tab shows. */
const readAll = async (): Promise<void> => {
  const shown = tab()
  const [status, views] = await Promise.all([
    ask<StatusView>('/connection/status'),
    shown === 'network' ? Promise.all([ask<PeersView>('/peers'), ask<TopologyView>('/topology')]) : undefined
  ])
  showStatus(status)
  // A picture that nobody sees has no size to be fitted into.
  if (views !== undefined && tab() === 'network') {
    const [peers, topology] = views
    members.show(peers)
    graph.show(topology)
  }
  if (shown === 'log') await log.refresh(status.sync.head ?? 0)
  if (shown === 'history') await history.refresh()
  if (shown === 'registries') await showRegistries()
}

let isReading = false
let isWanted = false
let later: ReturnType<typeof setTimeout> | undefined
let tookMs = 0
/** Reads at once; when a reading runs, once more behind it. */
const readNow = (): void => {
  clearTimeout(later)
  later = undefined
  isWanted = isReading
  if (isReading) return
  isReading = true
  const begunAt = performance.now()
  readAll()
    .catch(showFailure)
    .finally(() => {
      isReading = false
      tookMs = performance.now() - begunAt
      if (isWanted) readNow()
    })
}

/** Reads once after a pause, however often it is called meanwhile. */
const readSoon = (): void => {
  later ??= setTimeout(readNow, Math.max(pauseMs, pauseTimes * tookMs))
}

const take = (event: ControlEvent): void => {
  if (event.type === 'peer') {
    graph.setState(event.peerId, event.state)
    members.setState(event.peerId, event.state)
  }
  if (!document.hidden) readSoon()
}

// Nobody looks at a page that is hidden.
setInterval(() => document.hidden || readNow(), refreshMs)
document.addEventListener('visibilitychange', () => document.hidden || readNow())
// Views that index.html asked for beforehand are shown at once. The stream says when it begins: what is read after that misses nothing.
readNow()
follow(
  take,
  () => readSoon(),
  () => {
    showFailure(new Error('the connection is gone'))
    readNow()
  }
)
