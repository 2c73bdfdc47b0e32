import type { StylesheetJson } from 'cytoscape'
import type { PeerState } from '../../api/views.ts'
import { colour } from './dom.ts'

interface Look {
  filled: boolean
  line: 'solid' | 'dashed'
}

/** Looks of each state, beside its colour in page.css. */
const looks: Readonly<Record<PeerState, Look>> = {
  online: { filled: true, line: 'solid' },
  late: { filled: true, line: 'solid' },
  suspect: { filled: true, line: 'solid' },
  offline: { filled: false, line: 'solid' },
  left: { filled: false, line: 'dashed' },
  unknown: { filled: false, line: 'dashed' }
}

const isState = (word: string): word is PeerState => Object.hasOwn(looks, word)

export const states: readonly PeerState[] = Object.keys(looks).filter(isState)

const nodeStyle = (): StylesheetJson => [
  {
    selector: 'node',
    style: {
      label: 'data(label)',
      color: colour('ink'),
      'font-size': 11,
      'min-zoomed-font-size': 8,
      'text-valign': 'bottom',
      'text-margin-y': 3,
      width: 16,
      height: 16,
      'background-color': colour('panel'),
      'border-width': 2,
      'border-color': colour('ink')
    }
  },
  ...states.map((state): StylesheetJson[number] => ({
    selector: `node[state = "${state}"]`,
    style: {
      'border-color': colour(state),
      'background-color': colour(looks[state].filled ? state : 'panel'),
      'border-style': looks[state].line
    }
  }))
]

const roleStyle = (): StylesheetJson => [
  { selector: 'node[role = "root"]', style: { shape: 'star', width: 34, height: 34, 'font-size': 13 } },
  { selector: 'node[role = "secondary"]', style: { shape: 'diamond', width: 28, height: 28, 'font-size': 13 } },
  { selector: 'node[role = "integrated"]', style: { shape: 'round-rectangle', width: 20, height: 20 } },
  {
    selector: 'node[self = 1]',
    style: { 'underlay-color': colour('direct'), 'underlay-opacity': 0.3, 'underlay-padding': 7 }
  },
  {
    selector: 'node:selected',
    style: { 'overlay-color': colour('focus'), 'overlay-opacity': 0.3, 'overlay-padding': 6 }
  }
]

const edgeStyle = (): StylesheetJson => [
  { selector: 'edge', style: { 'curve-style': 'haystack', width: 1, 'line-color': colour('edge') } },
  // No dots: each one of a line is a shape of its own, and a thousand leases would have half a million of them.
  { selector: 'edge[kind = "lease"]', style: { width: 3, 'line-color': colour('soft'), 'line-opacity': 0.3 } },
  { selector: 'edge[kind = "one-sided"]', style: { 'line-style': 'dashed', 'line-color': colour('suspect') } },
  {
    selector: 'edge[kind = "own"]',
    style: {
      'line-color': colour('direct'),
      width: 1.5,
      label: 'data(label)',
      'font-size': 9,
      'min-zoomed-font-size': 9,
      color: colour('soft')
    }
  }
]

/** The looks of the graph in the colours of page.css, light or dark. */
export const graphStyle = (): StylesheetJson => [...nodeStyle(), ...roleStyle(), ...edgeStyle()]
