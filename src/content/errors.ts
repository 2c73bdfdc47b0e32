/** Bytes that are no block of a file or folder as it is written here: another format, a cut or padded block, sizes that do not add up. */
export class InvalidBlockError extends Error {
  override readonly name = 'InvalidBlockError'
}

/** A block that a file or folder needs is not stored here. */
export class BlockMissingError extends Error {
  override readonly name = 'BlockMissingError'
}

/** A file name that cannot be written everywhere: a way out of the folder, a device, two that differ in case alone. */
export class UnfitNameError extends Error {
  override readonly name = 'UnfitNameError'
}

/** Content that goes beyond a limit: files, bytes, depth. */
export class ContentLimitError extends Error {
  override readonly name = 'ContentLimitError'
}

/** The folder went on changing while it was read. */
export class FolderChangedError extends Error {
  override readonly name = 'FolderChangedError'
}

/** Blocks of all stores together may take no more room. */
export class StoreQuotaError extends Error {
  override readonly name = 'StoreQuotaError'
}
