import { Option } from 'commander'
import type { PeerState, TopologyView } from '../../node/api/control-api.ts'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { exampleOf } from '../output/help.ts'
import { roundTrip, sanitise, shortPeerId } from '../output/text.ts'

const formats = ['mermaid', 'dot', 'json'] as const

type TopologyOptions = RunningOptions & { format: (typeof formats)[number] }

const notes = `
What this node sees, and what members told their registries: 32 connections each
at most. A dashed line is a connection that only one of the two speaks of.
${exampleOf('trustnet topology > network.mmd', 'trustnet topology --format dot | dot -Tsvg > network.svg')}`

export const addTopology: AddCommand = (program, context) => {
  withRunning(program.command('topology'))
    .description('who is connected to whom, for documents')
    .addOption(new Option('--format <format>', 'of the text').choices([...formats]).default('mermaid'))
    .addHelpText('after', notes)
    .action((options: TopologyOptions) => showTopology(context, options))
}

const showTopology = async (context: Context, options: TopologyOptions): Promise<void> => {
  const { terminal, signal } = context
  const client = await running(context, options)
  const view = await client.topology({}, { signal })
  if (options.json === true || options.format === 'json') terminal.json(view)
  else terminal.print(options.format === 'dot' ? dotText(view) : mermaidText(view))
}

const colours: Record<PeerState, string> = {
  online: '#c8e6c9',
  late: '#fff9c4',
  suspect: '#ffe0b2',
  offline: '#ffcdd2',
  left: '#eeeeee',
  unknown: '#eeeeee'
}

/** The state; of one that a newer version has, none is known here. */
const stateOf = ({ state }: Node): PeerState => (Object.hasOwn(colours, state) ? state : 'unknown')

type Node = TopologyView['nodes'][number]
type Link = TopologyView['links'][number]

const nameOf = ({ name, peerId }: Node): string => (name === null ? shortPeerId(sanitise(peerId)) : sanitise(name))

/** Ids that no text format takes for a word of its own, by PeerId. */
const idsOf = ({ nodes }: TopologyView): Map<string, string> =>
  new Map(nodes.map(({ peerId }, at) => [peerId, `n${at}`]))

/** The one that speaks of it, then the other. */
const endsOf = ({ from, to, saidBy }: Link): [string, string] => (saidBy[0] === to ? [to, from] : [from, to])

/** A text in quotes, with entity codes for all that Mermaid may take for its own. */
const mermaidQuoted = (text: string): string =>
  `"${text.replaceAll(/[^\p{L}\p{N} .,:()…-]/gu, (char) => `#${char.codePointAt(0)};`)}"`

/** A flowchart of Mermaid. */
export const mermaidText = (view: TopologyView): string => {
  const ids = idsOf(view)
  const nodes = view.nodes.map(
    (node, at) => `  n${at}[${mermaidQuoted(`${nameOf(node)} (${sanitise(node.role)})`)}]:::${stateOf(node)}`
  )
  const links = view.links.map((link) => {
    const [from, to] = endsOf(link).map((peerId) => ids.get(peerId))
    const rtt = link.rttUs === null ? '' : `|${mermaidQuoted(roundTrip(link.rttUs))}|`
    return `  ${from} ${link.oneSided ? '-.->' : '---'}${rtt} ${to}`
  })
  const used = new Set(view.nodes.map(stateOf))
  const classes = [...used].map((state) => `  classDef ${state} fill:${colours[state]},stroke:#555,color:#000`)
  return ['flowchart LR', ...nodes, ...links, ...classes].join('\n')
}

/** A string of Graphviz. */
const dotQuoted = (text: string): string => `"${text.replaceAll(/["\\]/g, (char) => `\\${char}`)}"`

/** A graph of Graphviz. */
export const dotText = (view: TopologyView): string => {
  const ids = idsOf(view)
  const nodes = view.nodes.map((node, at) => {
    const shape = node.role === 'root' || node.role === 'secondary' ? 'box' : 'ellipse'
    const label = dotQuoted(`${nameOf(node)} (${sanitise(node.role)}), ${stateOf(node)}`)
    return `  n${at} [label=${label}, shape=${shape}, style=filled, fillcolor="${colours[stateOf(node)]}"];`
  })
  const links = view.links.map((link) => {
    const [from, to] = endsOf(link).map((peerId) => ids.get(peerId))
    const marks = [
      ...(link.rttUs === null ? [] : [`label=${dotQuoted(roundTrip(link.rttUs))}`]),
      ...(link.oneSided ? ['style=dashed', 'dir=forward'] : [])
    ]
    return `  ${from} -- ${to}${marks.length === 0 ? '' : ` [${marks.join(', ')}]`};`
  })
  return ['graph trustnet {', ...nodes, ...links, '}'].join('\n')
}
