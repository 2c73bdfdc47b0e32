import { MaxLengthError } from 'protons-runtime'
import { inside, messageType } from '../../runtime/message-type.ts'

export interface DagNode {
  links: DagLink[]
  data?: Uint8Array
}

export const DagNode = messageType<DagNode>((obj, w) => {
  if (obj.links != null && obj.links.length > 0) {
    for (const value of obj.links) {
      w.uint32(18)
      DagLink.codec().encode(value, w)
    }
  }

  if (obj.data != null) {
    w.uint32(10)
    w.bytes(obj.data)
  }
}, () => ({
  links: []
}), (obj, field, reader, opts) => {
  switch (field) {
    case 2: {
      if (opts.limits?.links != null && obj.links.length === opts.limits.links) {
        throw new MaxLengthError('Decode error - repeated field "links" had too many elements')
      }

      obj.links.push(DagLink.codec().decode(reader, reader.uint32(), inside(opts.limits?.links$)))
      break
    }
    case 1: {
      obj.data = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface DagLink {
  hash?: Uint8Array
  name?: string
  tsize?: number
}

export const DagLink = messageType<DagLink>((obj, w) => {
  if (obj.hash != null) {
    w.uint32(10)
    w.bytes(obj.hash)
  }

  if (obj.name != null) {
    w.uint32(18)
    w.string(obj.name)
  }

  if (obj.tsize != null) {
    w.uint32(24)
    w.uint64Number(obj.tsize)
  }
}, () => ({}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.hash = reader.bytes()
      break
    }
    case 2: {
      obj.name = reader.string()
      break
    }
    case 3: {
      obj.tsize = reader.uint64Number()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface UnixFs {
  type?: number
  data?: Uint8Array
  filesize?: number
  blocksizes: number[]
  hashType?: number
  fanout?: number
}

export const UnixFs = messageType<UnixFs>((obj, w) => {
  if (obj.type != null) {
    w.uint32(8)
    w.uint32(obj.type)
  }

  if (obj.data != null) {
    w.uint32(18)
    w.bytes(obj.data)
  }

  if (obj.filesize != null) {
    w.uint32(24)
    w.uint64Number(obj.filesize)
  }

  if (obj.blocksizes != null && obj.blocksizes.length > 0) {
    for (const value of obj.blocksizes) {
      w.uint32(32)
      w.uint64Number(value)
    }
  }

  if (obj.hashType != null) {
    w.uint32(40)
    w.uint64Number(obj.hashType)
  }

  if (obj.fanout != null) {
    w.uint32(48)
    w.uint64Number(obj.fanout)
  }
}, () => ({
  blocksizes: []
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.type = reader.uint32()
      break
    }
    case 2: {
      obj.data = reader.bytes()
      break
    }
    case 3: {
      obj.filesize = reader.uint64Number()
      break
    }
    case 4: {
      if (opts.limits?.blocksizes != null && obj.blocksizes.length === opts.limits.blocksizes) {
        throw new MaxLengthError('Decode error - repeated field "blocksizes" had too many elements')
      }

      obj.blocksizes.push(reader.uint64Number())
      break
    }
    case 5: {
      obj.hashType = reader.uint64Number()
      break
    }
    case 6: {
      obj.fanout = reader.uint64Number()
      break
    }
    default: {
      return false
    }
  }

  return true
})
