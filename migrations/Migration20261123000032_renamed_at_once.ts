import { Migration } from '@mikro-orm/migrations'

/** A step that gives one column the name of another renames both at once; one after the other, the second name lost its value. Nothing is locked. */
export class Migration20261123000032_renamed_at_once extends Migration {
  override up(): void {
    this.addSql(
      upcasting(`if now_told ?| array(select jsonb_object_keys(coalesce(step->'renamed', '{}'))) then
            now_told := (select jsonb_object_agg(coalesce(step->'renamed'->>key, key), value) from jsonb_each(now_told));
          end if;`),
    )
  }

  override down(): void {
    this.addSql(
      upcasting(`for name in select jsonb_object_keys(coalesce(step->'renamed', '{}')) loop
            if now_told ? name then
              now_told := (now_told - name) || jsonb_build_object(step->'renamed'->>name, now_told->name);
            end if;
          end loop;`),
    )
  }
}

/** Contract: what an event tells, in today's shape: takes the steps that came after its version. Each may rename, remove, and put one value in another's place. */
function upcasting(renaming: string): string {
  return `create or replace function daybook_upcast(told json, version int, steps jsonb) returns json
      language plpgsql immutable parallel safe as $$
      declare
        now_told jsonb := told::jsonb;
        step jsonb; name text; replaced jsonb;
      begin
        if told is null or version > jsonb_array_length(steps) then return told; end if;
        for place in version - 1 .. jsonb_array_length(steps) - 1 loop
          step := steps->place;
          ${renaming}
          now_told := now_told - array(select jsonb_array_elements_text(coalesce(step->'removed', '[]')));
          for name in select jsonb_object_keys(coalesce(step->'values', '{}')) loop
            replaced := step->'values'->name->(now_told->>name);
            if replaced is not null then now_told := now_told || jsonb_build_object(name, replaced); end if;
          end loop;
        end loop;
        return now_told;
      end $$;`
}
