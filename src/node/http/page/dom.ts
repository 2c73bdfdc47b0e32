/** The element of index.html with that id. */
export const byId = (id: string): HTMLElement => {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`index.html has no #${id}`)
  return element
}

export const inputById = (id: string): HTMLInputElement => {
  const element = byId(id)
  if (!(element instanceof HTMLInputElement)) throw new TypeError(`#${id} is no input`)
  return element
}

type Child = Node | string

/** Makes an element. Text goes in as text and never as markup, whoever chose it. */
export const make = (tag: string, classes: string, ...children: Child[]): HTMLElement => {
  const element = document.createElement(tag)
  if (classes !== '') element.className = classes
  element.append(...children)
  return element
}

export const row = (...cells: Child[]): HTMLElement =>
  make('tr', '', ...cells.map((cell) => (cell instanceof HTMLTableCellElement ? cell : make('td', '', cell))))

export const numberCell = (text: string): HTMLElement => make('td', 'number', text)

/** A description list of those facts that are known. */
export const facts = (pairs: readonly (readonly [string, string | null])[]): Node[] =>
  pairs.flatMap(([term, value]) =>
    value === null || value === '' ? [] : [make('dt', '', term), make('dd', '', value)]
  )

/** Shows a text; the same text again is not read out again. */
export const say = (element: HTMLElement, text: string): void => {
  if (element.textContent !== text) element.textContent = text
}

/** A colour of page.css, of the light or the dark ones. */
export const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
