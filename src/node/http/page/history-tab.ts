import type UPlot from 'uplot'
import type { HappeningRow, HistoryView, TimelineView } from '../../api/control-api.ts'
import { byId, colour, make } from './dom.ts'
import { ask } from './feed.ts'
import { nameOf, timeText } from './words.ts'

// A classic script of its package, loaded by index.html.
declare const uPlot: typeof UPlot

const slots = 96
const changes = 500
const chartHeight = 220

type Curves = [times: number[], up: (number | null)[], known: (number | null)[]]

/** Members up in each slot, and members that this node saw; null: it saw nobody. Times in s. */
export const upBySlot = ({ fromMs, slotMs, members }: TimelineView): Curves => {
  const times: number[] = []
  const up: (number | null)[] = []
  const known: (number | null)[] = []
  for (const index of (members[0]?.up ?? []).keys()) {
    const seen = members.flatMap((member) => member.up[index] ?? [])
    times.push((fromMs + index * slotMs) / 1000)
    known.push(seen.length === 0 ? null : seen.length)
    up.push(seen.length === 0 ? null : Math.round(seen.reduce((sum, percent) => sum + percent, 0)) / 100)
  }
  return [times, up, known]
}

const percentText = (percent: number | null): string => (percent === null ? 'not seen' : `${Math.round(percent)} % up`)

const shade = (percent: number | null): string => {
  if (percent === null) return 'line'
  if (percent >= 99.9) return 'online'
  return percent >= 50 ? 'late' : percent > 0 ? 'suspect' : 'offline'
}

/** Stops of a gradient that has the colour of each slot, one for slots of the same colour that follow each other. */
export const stopsOf = (up: readonly (number | null)[]): string[] =>
  up.flatMap((percent, at) => {
    const ends = shade(percent) !== (at + 1 < up.length ? shade(up[at + 1] ?? null) : '')
    const begins = at === 0 || shade(up[at - 1] ?? null) !== shade(percent)
    const place = (slot: number): string => `var(--${shade(percent)}) ${((100 * slot) / up.length).toFixed(2)}%`
    return [...(begins ? [place(at)] : []), ...(ends ? [place(at + 1)] : [])]
  })

/** One element for a member, however many slots the day has. */
const stripOf = ({ up }: TimelineView['members'][number]): HTMLElement => {
  const strip = make('span', 'strip')
  strip.style.background = `linear-gradient(to right, ${stopsOf(up).join(', ')})`
  const seen = up.filter((percent) => percent !== null)
  const mean = seen.length === 0 ? null : seen.reduce((sum, percent) => sum + percent, 0) / seen.length
  strip.title = percentText(mean)
  strip.setAttribute('role', 'img')
  strip.setAttribute('aria-label', percentText(mean))
  return strip
}

const changeOf = ({ atMs, type, member, state, before, source, reason }: HappeningRow): HTMLElement => {
  const what = state === null ? make('b', '', type) : make('b', `state ${state}`, state)
  const from = before === null ? '' : `, was ${before}`
  const said = source === null ? '' : `, says ${nameOf(source)}`
  const why = reason === '' ? '' : `: ${reason}`
  return make('li', '', make('time', '', timeText(atMs)), `${nameOf(member)} `, what, from + said + why)
}

/** The last day: how many were up, who was not, and each change. */
export class HistoryTab {
  #chart: UPlot | undefined

  async refresh(): Promise<void> {
    const [timeline, history] = await Promise.all([
      ask<TimelineView>(`/timeline?slots=${slots}`),
      ask<HistoryView>(`/history?limit=${changes}`)
    ])
    this.#draw(upBySlot(timeline))
    byId('strips').replaceChildren(
      ...timeline.members.map((member) =>
        make('tr', '', make('th', '', nameOf(member)), make('td', '', stripOf(member)))
      )
    )
    byId('changes').replaceChildren(...history.events.toReversed().map(changeOf))
    byId('history-note').textContent =
      history.events.length === 0 ? 'Nothing has changed since this node began to remember.' : ''
  }

  #draw(data: Curves): void {
    this.#chart?.destroy()
    const [[begin = 0, second = 0]] = data
    const slotSeconds = second - begin
    const { bars } = uPlot.paths
    // A slot is as wide as its time: one alone is seen, too.
    const wide = { points: { show: false }, ...(bars !== undefined && { paths: bars({ size: [1], align: 1 }) }) }
    const axis = { stroke: colour('soft'), grid: { stroke: colour('line'), width: 1 } }
    this.#chart = new uPlot(
      {
        width: Math.max(280, byId('history-chart').clientWidth),
        height: chartHeight,
        scales: {
          x: { range: (_chart, first, last) => [first, last + slotSeconds] },
          y: { range: (_chart, _least, most) => [0, Math.max(1, most) * 1.05] }
        },
        axes: [axis, axis],
        series: [
          {},
          {
            label: 'up',
            stroke: colour('online'),
            fill: `color-mix(in srgb, ${colour('online')} 25%, transparent)`,
            width: 2,
            ...wide
          },
          { label: 'seen', stroke: colour('soft'), dash: [4, 4], width: 1, ...wide }
        ]
      },
      data,
      byId('history-chart')
    )
  }
}
