import { keepDeletedDays, keepFinishedDays, putSetting, type Setting, SystemSetting } from '../../src/entities.ts'
import { demoArea } from './demo-area.ts'

const data: Readonly<Record<string, readonly (readonly [Setting, number])[]>> = {
  'demo-org': [
    [keepDeletedDays, 60],
    [keepFinishedDays, 30],
  ],
  'enterprise-corp': [[keepDeletedDays, 365]],
}

/** What the organizations have set otherwise than it comes. */
export const settings = demoArea('settings', data, (work, values) =>
  work.transact(async demo => {
    const { em } = demo
    for (const [setting, value] of values) {
      const { key } = setting
      await demo.ensure(SystemSetting, { key }, async () => {
        await putSetting(em, setting, value)
        await em.flush()
        return em.findOneOrFail(SystemSetting, { key })
      })
    }
  }),
)
