import { MikroORM } from '@mikro-orm/core'
import type { ClientBase } from 'pg'
import { modelWith } from '../../src/model.ts'
import { Daybook, serverOptions } from '../../src/orm/index.ts'
import { Keyring } from '../../src/kernel/keyring.ts'
import { administer } from '../../src/testing/test-server.ts'

export interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'One-Time Filter'?: string
  readonly Plans?: readonly PlanNode[]
}

/** A statement as the server ran it: the services' own, and those inside functions and triggers. */
export interface WatchedPlan {
  readonly query: string
  readonly plan: PlanNode
}

export interface Watched extends AsyncDisposable {
  readonly daybook: Daybook
  /** What was run since the last time that somebody asked. */
  readonly taken: () => WatchedPlan[]
}

/** A daybook on a database whose server tells how it runs each statement, to the very connection that sent it. */
export async function watchPlans(urls: {
  readonly app: string
  readonly operator: string
  readonly administrator: string
}): Promise<Watched> {
  const database = new URL(urls.app).pathname.slice(1)
  const settings = {
    session_preload_libraries: 'auto_explain',
    'auto_explain.log_min_duration': '0',
    'auto_explain.log_nested_statements': 'on',
    'auto_explain.log_format': 'json',
    'auto_explain.log_level': 'notice',
  }
  await administer(
    urls.administrator,
    ...Object.entries(settings).map(([name, value]) => `alter database ${database} set ${name} = '${value}'`),
  )
  const plans: WatchedPlan[] = []
  const open = (url: string) => {
    const model = modelWith({ keyring: () => Promise.resolve(new Keyring([Buffer.alloc(32, 'daybook tests')])) })
    const connection = { url, poolMax: 4, applicationName: 'plans', connectTimeoutMs: 5_000 }
    const options = serverOptions(model, connection, { queries: false, quietMigrations: true })
    const onConnect = (client: ClientBase) => {
      client.on('notice', ({ message }) => message && plans.push(...planIn(message)))
    }
    return MikroORM.init({ ...options, driverOptions: { ...(options.driverOptions as object), onConnect } })
  }
  const daybook = new Daybook({
    orm: await open(urls.app),
    embedded: false,
    limits: { statementTimeoutMs: 30_000, lockTimeoutMs: 10_000, idleTimeoutMs: 60_000 },
    openOperator: () => open(urls.operator),
  })
  return { daybook, taken: () => plans.splice(0), [Symbol.asyncDispose]: () => daybook.close() }
}

function planIn(message: string): WatchedPlan[] {
  const json = message.startsWith('duration:') ? message.slice(message.indexOf('{')) : ''
  if (!json.startsWith('{')) return []
  const { 'Query Text': query, Plan: plan } = JSON.parse(json) as { 'Query Text': string; Plan: PlanNode }
  return [{ query, plan }]
}

/** A plan's nodes that may run, from the top down: nothing below what is never true does, and older servers plan it all the same. */
export function nodesOf(node: PlanNode): PlanNode[] {
  return node['One-Time Filter'] === 'false' ? [node] : [node, ...(node.Plans ?? []).flatMap(nodesOf)]
}

/** The tables, or partitions of one, that a plan reads from beginning to end. */
export function readWhole(plan: PlanNode): string[] {
  return nodesOf(plan).flatMap(node => (node['Node Type'] === 'Seq Scan' ? [node['Relation Name']!] : []))
}
