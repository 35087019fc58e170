/** What runs without a request: jobs, one leader for each, a record of each run. */
export type { Job, JobContext, Step, TenantAccess } from './job.ts'
export { jobs, type JobSettings, jobsWith } from './jobs.ts'
export { type ReactionsOptions, startReactions } from './react-to-events.ts'
export { type JobProgress, type JobReport, type JobRunReport, jobRunReports, runJob, type RunOptions } from './run-job.ts'
export { type BackgroundOptions, startBackground } from './start-background.ts'
export { type JobsOptions, startJobs } from './start-jobs.ts'
