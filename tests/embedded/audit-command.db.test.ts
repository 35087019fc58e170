import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { registerOrganization } from '../../src/entities.ts'
import { newId } from '../../src/kernel/id.ts'
import { openDaybook } from '../../src/open-daybook.ts'
import { auditCommand } from '../ledger/audit-command.ts'

const organization = { email: `${newId()}@example.com`, password: 'a long enough one', organization: { name: 'Acme' } }

test('the command verifies the embedded database', { timeout: 120_000 }, async () => {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'daybook-audit-'))
  const tenant = await openDaybook({ dataDirectory, logQueries: false, environment: 'test' }).then(async daybook => {
    const registered = await registerOrganization(daybook, organization)
    await daybook.close()
    return registered.organization.id
  })
  expect(await auditCommand({ DAYBOOK_DATA_DIR: dataDirectory }, 'verify')).toMatchObject({
    code: 0,
    output: expect.stringMatching(new RegExp(`^${tenant}: 0 events fit .* wait for their seal`)),
  })
  await rm(dataDirectory, { recursive: true, force: true })
})

test('the command says in a sentence which file it can’t read', { timeout: 60_000 }, async () => {
  for (const [option, file, why] of [
    ['--notes', tmpdir(), 'EISDIR'],
    ['--keys', join(tmpdir(), newId()), 'ENOENT'],
  ] as const) {
    const { code, output } = await auditCommand({}, 'verify', option, file)
    expect([code, output.split('\n')[0]]).toEqual([2, `${option} is "${file}", which can’t be read (${why}). It takes a file.`])
    expect(output).not.toContain('    at ')
  }
})

test.each([
  ['an option that there isn’t', ['verify', '--verbose'], /^Unknown option '--verbose'/],
  ['nothing', [], /^Usage: npm run audit -- verify/],
  ['nobody to erase', ['erase'], /^erase takes --person, --email or both, and nothing else does\.\nUsage: /],
])('the command says how it is used where it is given %s', async (_what, given, words) => {
  const { code, output } = await auditCommand({}, ...given)
  expect([code, output]).toEqual([2, expect.stringMatching(words)])
  expect(output).not.toContain('    at ')
})
