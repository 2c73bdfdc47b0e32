import { Uint8ArrayList } from 'uint8arraylist'
import { expect, test } from 'vitest'
import { FrameCounter } from '../../../../../src/protocols/engine/libraries/frame-counter.ts'

const frames = Uint8Array.of(2, 7, 7, 0, 1, 7, 3, 7)

test('counts frames that begin, in whatever parts they come', () => {
  const whole = new FrameCounter(3)
  expect(whole.push(frames)).toEqual({ bytes: 8, frames: 4 })
  expect(whole.push(Uint8Array.of(7, 7, 1))).toEqual({ bytes: 3, frames: 1 })
  const parts = new FrameCounter(3)
  expect(parts.push(new Uint8ArrayList(frames.subarray(0, 2), frames.subarray(2)))).toEqual({ bytes: 8, frames: 4 })
})

test('stops where as many frames as may be are whole', () => {
  const counter = new FrameCounter(3)
  expect(counter.push(frames, 2)).toEqual({ bytes: 4, frames: 2 })
  expect(counter.push(new Uint8ArrayList(frames.subarray(4, 5), frames.subarray(5)), 1)).toEqual({
    bytes: 2,
    frames: 1
  })
  expect(counter.push(frames.subarray(6), 1)).toEqual({ bytes: 2, frames: 1 })
  expect(counter.push(Uint8Array.of(7, 7, 1, 7), 1)).toEqual({ bytes: 4, frames: 1 })
})

test('refuses a length beyond the most, and one of too many bytes', () => {
  expect(() => new FrameCounter(3).push(Uint8Array.of(4))).toThrow('a frame of 4 bytes')
  expect(() => new FrameCounter(3).push(new Uint8Array(5).fill(0x80))).toThrow('more than 28 bits')
})
