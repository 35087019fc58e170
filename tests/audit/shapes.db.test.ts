import { describe, expect, test } from 'vitest'
import { asOf, restore } from '../../src/readers/index.ts'
import { Parcel } from './shaped-model.ts'
import { useParcels } from './use-parcels.ts'

const { scope, parcel, lastEvent, agree } = useParcels()

const whole = (id: string) => scope().findOneOrFail(Parcel, id, { populate: ['letter', 'papers'] })

async function restored({ id }: Parcel) {
  const em = scope()
  await em.remove(await em.findOneOrFail(Parcel, id)).flush()
  await restore(scope(), [Parcel, id])
  await agree()
  return whole(id)
}

describe('a column that the database makes from others', () => {
  test('is in the past what it was made from then', async () => {
    const { em, made } = await parcel({ label: 'four' })
    const created = await lastEvent('parcel.created')
    made.label = 'longer'
    await em.flush()
    const past = asOf(scope(), created)
    expect(await past.findOneOrFail(Parcel, { length: 4 }, { orderBy: { length: 'asc' } })).toMatchObject({ label: 'four', length: 4 })
    expect(await past.count(Parcel, { length: 6 })).toBe(0)
    expect(await restored(made)).toMatchObject({ label: 'longer', length: 6 })
  })

  test('isn’t known of the past where it is made from what tells of a person', async () => {
    const { made } = await parcel({ sender: 'Ada' })
    expect((await whole(made.id)).initial).toBe('A')
    const then = await asOf(scope(), await lastEvent('parcel.created')).findOneOrFail(Parcel, made.id)
    expect(then).toMatchObject({ sender: 'Ada', initial: null })
  })
})
