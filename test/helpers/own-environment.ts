import { expect } from 'vitest'

// For threads of unit tests. Programs that others start are to run as they do elsewhere.
if (expect.getState().testPath?.includes('/test/unit/') !== true) delete process.env['NODE_COMPILE_CACHE']
