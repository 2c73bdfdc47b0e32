import { byId } from './dom.ts'

const names = ['network', 'history', 'log', 'registries', 'node'] as const
type Tab = (typeof names)[number]

const keys: ReadonlyMap<string, (index: number) => number> = new Map(
  Object.entries({
    ArrowRight: (index) => index + 1,
    ArrowLeft: (index) => index - 1,
    Home: () => 0,
    End: () => names.length - 1
  })
)

/** Makes the tabs work with mouse and keyboard, as the ARIA practices say. Gives the way to ask which is shown. */
export const showTabs = (onShow: (tab: Tab) => void): (() => Tab) => {
  let shown: Tab = 'network'
  const show = (tab: Tab): void => {
    shown = tab
    for (const name of names) {
      const button = byId(`tab-${name}`)
      button.setAttribute('aria-selected', String(name === tab))
      button.tabIndex = name === tab ? 0 : -1
      byId(`view-${name}`).hidden = name !== tab
    }
    onShow(tab)
  }
  for (const [index, name] of names.entries()) {
    const button = byId(`tab-${name}`)
    button.addEventListener('click', () => show(name))
    button.addEventListener('keydown', (event) => {
      const next = keys.get(event.key)
      if (next === undefined) return
      event.preventDefault()
      const tab = names[(next(index) + names.length) % names.length] ?? 'network'
      show(tab)
      byId(`tab-${tab}`).focus()
    })
  }
  // A user without a mouse scrolls what has the focus.
  for (const box of document.querySelectorAll<HTMLElement>('.scroll')) box.tabIndex = 0
  return () => shown
}
