import { type EntitySchema, type Opt, p } from '@mikro-orm/core'
import { globalEntity, moment, Row } from '../../orm/index.ts'

/** That a seeder ran, what it wrote, and by which data: the same checksum writes the same rows. */
export class SeedRun extends Row {
  declare seeder: string
  declare checksum: string
  declare mode: string
  declare rows: Opt<number>
  declare ranAt: Date
}

export const SeedRunSchema: EntitySchema<SeedRun> = globalEntity({
  class: SeedRun,
  properties: {
    seeder: p.text(),
    checksum: p.text(),
    mode: p.text(),
    rows: p.integer().default(0),
    ranAt: moment(),
  },
  indexes: [{ properties: ['seeder', 'ranAt'] }],
  access: 'append',
})
