import { expect, test } from 'vitest'
import { dotText, mermaidText } from '../../../../src/cli/peers/topology.ts'
import { linksOf } from '../../../../src/node/views/topology-view.ts'
import { topologyView } from '../../../helpers/commands/past-views.ts'

test('a topology is a flowchart of Mermaid, and a graph of Graphviz', () => {
  expect(mermaidText(topologyView)).toMatchInlineSnapshot(`
    "flowchart LR
      n0["root (root)"]:::online
      n1["hal (integrated)"]:::offline
      n2["…RCu1cccc (external)"]:::online
      n0 ---|"1.3ms"| n1
      n2 -.-> n0
      classDef online fill:#c8e6c9,stroke:#555,color:#000
      classDef offline fill:#ffcdd2,stroke:#555,color:#000"
  `)
  expect(dotText(topologyView)).toMatchInlineSnapshot(`
    "graph trustnet {
      n0 [label="root (root), online", shape=box, style=filled, fillcolor="#c8e6c9"];
      n1 [label="hal (integrated), offline", shape=ellipse, style=filled, fillcolor="#ffcdd2"];
      n2 [label="…RCu1cccc (external), online", shape=ellipse, style=filled, fillcolor="#c8e6c9"];
      n0 -- n1 [label="1.3ms"];
      n2 -- n0 [style=dashed, dir=forward];
    }"
  `)
})

test('a name cannot leave its quotes', () => {
  const [first] = topologyView.nodes
  const view = { ...topologyView, nodes: first === undefined ? [] : [{ ...first, name: 'a"];\\ <b>#x' }], links: [] }
  expect(mermaidText(view).split('\n')[1]).toBe('  n0["a#34;#93;#59;#92; #60;b#62;#35;x (root)"]:::online')
  expect(dotText(view).split('\n')[1]).toContain('[label="a\\"];\\\\ <b>#x (root), online"')
})

test('a link is one-sided when the other one says whom it is connected to, is up, and does not name it', async () => {
  const told = new Map([
    ['a', new Set(['b', 'c', 'd', 'stranger'])],
    ['b', new Set(['a'])],
    ['c', new Set(['b'])]
  ])
  const states = new Map(['a', 'b', 'c', 'd'].map((name) => [name, 'online']))
  const links = await linksOf(told, states, { self: 'a', rttMs: (peer) => (peer === 'b' ? 2 : undefined) })
  expect(links.map(({ from, to, saidBy, oneSided, rttUs }) => [from + to, saidBy.join(''), oneSided, rttUs])).toEqual([
    ['ab', 'ab', false, 2000],
    ['ac', 'a', true, null],
    ['ad', 'a', false, null],
    ['bc', 'c', true, null]
  ])
})
