import { modelWith } from './src/model.ts'
import { ownerOptions } from './src/open-daybook.ts'

/** What `npx mikro-orm …` works with: the owner's connection to whichever database the environment names. */
export default () => ownerOptions(modelWith())
