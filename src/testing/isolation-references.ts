import assert from 'node:assert/strict'
import { type EntityProperty, ForeignKeyConstraintViolationException, ReferenceKind } from '@mikro-orm/core'
import { userActor } from '../context/index.ts'
import { User } from '../entities.ts'
import { newId } from '../kernel/id.ts'
import { IdentityImmutableError, isTenantOwned, TenantMismatchError } from '../orm/index.ts'
import type { Examples } from './examples.ts'
import { createRow } from './factories.ts'
import { type Ground, leavesOtherAlone } from './isolation-ground.ts'
import { insertJson } from './isolation-writes.ts'

/** For each relation that could cross: pointing it at the other tenant is refused in the same words as at a row that isn't there. */
export function referenceCases(ground: Ground, examples: Examples): Record<string, () => Promise<void>> {
  const cases: Record<string, () => Promise<void>> = {}
  for (const relation of ground.meta.relations.filter(canCross)) {
    const column = relation.fieldNames[0]!
    const refuses = (name: string, attempt: (target: string) => Promise<unknown>) => {
      cases[`${name} a reference ${relation.name}`] = () =>
        leavesOtherAlone(ground, async () => {
          const foreign = await rejection(attempt, await foreignTarget(ground, relation, examples))
          const missing = await rejection(attempt, newId())
          assert.equal(foreign.message, missing.message, 'the refusal tells that the row exists')
        })
    }
    const rewrites: typeof refuses = (name, attempt) => {
      if (ground.mayRewrite) refuses(name, attempt)
    }
    rewrites('flush of', target =>
      ground.inside(async em => {
        const row = await em.findOneOrFail(ground.entity, ground.own.id)
        em.assign(row, { [relation.name]: target } as never)
      }),
    )
    rewrites('update in raw SQL of', target =>
      ground.em().execute(`update ${ground.table} set ${column} = ? where id = ?`, [target, ground.own.id]),
    )
    refuses('insert in raw SQL of', async target => {
      const row = await ground.newJson()
      return insertJson(ground.em(), ground.table, { ...row, [column]: target })
    })
  }
  return cases
}

function canCross(relation: EntityProperty): boolean {
  const holdsColumn = relation.kind === ReferenceKind.MANY_TO_ONE || (relation.kind === ReferenceKind.ONE_TO_ONE && relation.owner)
  const target = relation.targetMeta!
  return holdsColumn && (isTenantOwned(target) || target.class === User)
}

/** A row of the other tenant, or a person who belongs to it alone. */
async function foreignTarget({ daybook, other }: Ground, { targetMeta }: EntityProperty, examples: Examples): Promise<string> {
  if (targetMeta!.class !== User) return (await createRow(daybook, other.tenant, targetMeta!, {}, examples)).id as string
  const id = newId()
  await daybook.transact(
    { tenant: other.tenant, actor: userActor(id) },
    async em => void em.create(User, { id, email: `${id}@example.com` }),
  )
  return id
}

async function rejection(attempt: (target: string) => Promise<unknown>, target: string): Promise<Error> {
  let refusal: unknown
  await assert.rejects(
    () => attempt(target),
    error => {
      refusal = error
      return [ForeignKeyConstraintViolationException, TenantMismatchError, IdentityImmutableError].some(kind => error instanceof kind)
    },
  )
  return new Error((refusal as Error).message.replaceAll(target, '<target>').replace(/^[\s\S]*(?=insert or update on table)/, ''))
}
