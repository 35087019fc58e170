import { modelWith } from './model.ts'
import { ownerOptions } from './open-daybook.ts'

export const cliOptions = () => ({
  ...ownerOptions(modelWith()),
})
