import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Journal } from '../../../../src/install/apply/journal.ts'
import { resolveAnswers } from '../../../../src/install/plan/resolve-answers.ts'
import { tempFolder } from '../../../helpers/temp.ts'

const answers = resolveAnswers({ name: 'hal', domain: 'example.org', trustOnFirstUse: true })
const folder = (path: string) => ({ kind: 'folder', path, mode: 0o755, owner: 'root' }) as const

it.skipIf(process.getuid?.() !== 0)(
  'what a later plan brings is taken back where that plan has it, not before all else',
  async () => {
    using temp = tempFolder()
    const state = {
      schemaVersion: 1,
      node: 'hal',
      version: '1',
      begunMs: 0,
      finished: false,
      answers,
      passphrase: null
    } as const
    const carryOut = async (journal: Journal, ...paths: string[]): Promise<void> => {
      for (const path of paths) await journal.done(await journal.begin(folder(path), async () => ({ made: [] })))
    }
    const path = join(temp.path, 'journals')
    await carryOut(new Journal(path, { ...state, entries: [] }), '/a', '/c')
    const again = await Journal.open(path, 'hal')
    if (again === undefined) throw new Error('the journal is gone')
    await carryOut(again, '/a', '/b', '/c', '/d')
    const kept = await Journal.open(path, 'hal')
    expect(kept?.state.entries.map(({ action }) => action.kind === 'folder' && action.path)).toEqual([
      '/a',
      '/b',
      '/c',
      '/d'
    ])
  }
)
