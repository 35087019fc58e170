import { MetadataStorage } from '@mikro-orm/core'
import { expect, test } from 'vitest'
import { isolationProblems } from '../../src/orm/index.ts'

const problemsAs = (name: string, superuser: boolean) =>
  isolationProblems(() => Promise.resolve([{ name, superuser, bypass: true, owned: [], above: [] }]), new MetadataStorage())

test('a role that bypasses policies is told how to lose that, but for those who can’t or must not', async () => {
  expect((await problemsAs('daybook_app', false)).join()).toContain('alter role daybook_app nobypassrls')
  for (const [name, superuser] of [
    ['daybook_operator', false],
    ['postgres', true],
  ] as const) {
    const problems = (await problemsAs(name, superuser)).join()
    expect(problems).toContain(`role ${name} has BYPASSRLS`)
    expect(problems).not.toContain('alter role')
  }
})
