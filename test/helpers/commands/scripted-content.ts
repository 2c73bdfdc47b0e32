import { root } from './control-views.ts'
import { documentHistoryView, documentsView, documentView, publishedView } from './document-views.ts'
import type { Scripted } from './scripted.ts'
import { servicesView } from './service-views.ts'
import { storeRemovedView, storesView, storeView } from './store-views.ts'

/** Answers about documents, services and stores. */
export class ScriptedContent {
  documents: Scripted['documents'] = async () => documentsView
  document: Scripted['document'] = async () => documentView
  documentHistory: Scripted['documentHistory'] = async ({ id }) => ({ ...documentHistoryView, id })
  publishDocument: Scripted['publishDocument'] = async ({ id }) => ({ ...publishedView, id })
  retireDocument: Scripted['retireDocument'] = async ({ id }) => ({ id, entry: 23, message: 'is retired' })
  allowPublisher: Scripted['allowPublisher'] = async () => ({ ...root, entry: 24, message: 'may publish' })
  removePublisher: Scripted['removePublisher'] = async () => ({ ...root, entry: 25, message: 'may not publish' })
  services: Scripted['services'] = async () => servicesView
  addService: Scripted['addService'] = async ({ name }) => ({ name, message: `${name} is announced` })
  removeService: Scripted['removeService'] = async ({ name }) => ({ name, message: `${name} is announced no more` })
  maintenance: Scripted['maintenance'] = async ({ on }) => ({ name: null, message: on ? 'it begins' : 'it is over' })
  stores: Scripted['stores'] = async () => storesView
  store: Scripted['store'] = async () => storeView
  addStore: Scripted['addStore'] = async () => storeView
  syncStore: Scripted['syncStore'] = async () => storesView
  removeStore: Scripted['removeStore'] = async () => storeRemovedView
  pinStore: Scripted['pinStore'] = async () => storeView
}
