import { TypedEventEmitter } from 'main-event'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Alarm, type AlarmEvents, Alarms, hasAlarm } from '../../../src/registry/alarms.ts'
import { openDatabase } from '../../../src/registry/store/database.ts'
import { GroupCommit } from '../../../src/registry/store/group-commit.ts'
import { type Logger, silentLogger } from '../../../src/runtime/clock-and-logger.ts'
import { NotFoundError } from '../../../src/runtime/errors.ts'
import { FakeClock } from '../../helpers/observations.ts'
import { tempFolder } from '../../helpers/temp.ts'

/** Alarms over a real store, which can be opened anew. */
class AlarmStage {
  readonly clock = new FakeClock()
  readonly logged: string[] = []
  readonly told: Alarm[] = []
  readonly path: string
  #open: (() => Promise<void>)[] = []
  alarms: Alarms

  constructor() {
    const folder = tempFolder()
    onTestFinished(() => folder[Symbol.dispose]())
    this.path = `${folder.path}/registry.db`
    this.alarms = this.open()
    onTestFinished(() => this.close())
  }

  open(isFull = false): Alarms {
    const db = openDatabase(this.path)
    const commit = new GroupCommit(db)
    const events = new TypedEventEmitter<AlarmEvents>()
    events.addEventListener('alarm', ({ detail }) => this.told.push(detail))
    const log = (_: object, message: string): unknown => this.logged.push(message)
    const logger: Logger = { ...silentLogger, error: log, warn: log }
    const { clock } = this
    this.#open.push(async () => {
      await commit.write(() => {}).catch(() => {})
      commit.close()
      db.close()
    })
    const full = { write: () => Promise.reject(new Error('the disk is full')) }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- alarms write, and do nothing else with it
    const written = isFull ? (full as unknown as GroupCommit) : commit
    return new Alarms({ db, commit: written, clock, logger, events })
  }

  async reopen(isFull = false): Promise<void> {
    await this.close()
    this.alarms = this.open(isFull)
  }

  async close(): Promise<void> {
    for (const each of this.#open.splice(0)) await each()
  }
}

describe('an alarm', () => {
  it('is told once, counted each time, and stays until somebody acknowledges it, over a restart too', async () => {
    const stage = new AlarmStage()
    const { clock } = stage
    const sinceMs = clock.now()
    stage.alarms.raise('log_fork', 'two histories', { n: 7 })
    clock.advance(5_000)
    stage.alarms.raise('log_fork', 'two histories still', { n: 8 })
    expect(stage.told).toHaveLength(1)
    await stage.reopen()
    expect(stage.alarms.list()).toEqual([
      {
        code: 'log_fork',
        message: 'two histories still',
        fields: { n: 8 },
        sinceMs,
        lastMs: sinceMs + 5_000,
        times: 2,
        acknowledged: false
      }
    ])
    stage.alarms.acknowledge('log_fork')
    await stage.reopen()
    expect(stage.alarms.list()).toMatchObject([{ acknowledged: true, times: 2 }])
    await stage.close()
    expect(hasAlarm(stage.path, 'log_fork')).toBe(true)
    expect(hasAlarm(stage.path, 'seq_reused')).toBe(false)
    expect(hasAlarm(`${stage.path}.missing`, 'log_fork')).toBe(false)
  })

  it('is a new one after it was acknowledged', () => {
    const stage = new AlarmStage()
    stage.alarms.raise('seq_reused', 'twice')
    stage.alarms.acknowledge('seq_reused')
    stage.clock.advance(1_000)
    stage.alarms.raise('seq_reused', 'twice again')
    expect(stage.told.map(({ message }) => message)).toEqual(['twice', 'twice again'])
    expect(stage.alarms.list()).toMatchObject([{ times: 1, sinceMs: stage.clock.now(), acknowledged: false }])
  })

  it('that goes on is written to the log once a minute', () => {
    const stage = new AlarmStage()
    for (let second = 0; second < 150; second++) {
      stage.alarms.raise('clock_doubt', `second ${second}`)
      stage.clock.advance(1_000)
    }
    expect(stage.logged).toEqual(['second 0', 'second 60', 'second 120'])
    expect(stage.alarms.list()).toMatchObject([{ times: 150 }])
  })

  it('cannot be acknowledged when there is none, and the list is in the order of the codes', () => {
    const stage = new AlarmStage()
    expect(() => stage.alarms.acknowledge('log_fork')).toThrow(NotFoundError)
    for (const code of ['store_gone', 'clock_doubt', 'log_fork']) stage.alarms.raise(code, code)
    expect(stage.alarms.list().map(({ code }) => code)).toEqual(['clock_doubt', 'log_fork', 'store_gone'])
  })

  it('lasts as long as the process where the disk is full, and is told all the same', async () => {
    const stage = new AlarmStage()
    await stage.reopen(true)
    stage.alarms.raise('store_full', 'no room')
    await expect.poll(() => stage.logged).toEqual(['no room', expect.stringContaining('could not be stored')])
    expect([stage.told.length, stage.alarms.list().length]).toEqual([1, 1])
    await stage.reopen()
    expect(stage.alarms.list()).toEqual([])
  })

  it('is not kept beyond as many as this program can have, but logged', () => {
    const stage = new AlarmStage()
    for (let number = 0; number < 300; number++) stage.alarms.raise(`code_${number}`, `message ${number}`)
    expect(stage.alarms.list()).toHaveLength(256)
    expect(stage.logged).toHaveLength(300)
  })
})
