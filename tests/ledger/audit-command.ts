import { execFile } from 'node:child_process'

/** Runs `npm run audit -- …` as a process of its own. */
export function auditCommand(env: Record<string, string>, ...args: string[]): Promise<{ code: number; output: string }> {
  const all = { PATH: process.env.PATH, DB_LOG_QUERIES: 'off', ...env }
  return new Promise(resolve => {
    execFile(process.execPath, ['src/cli/audit.ts', ...args], { env: all }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, output: stdout + stderr }),
    )
  })
}
