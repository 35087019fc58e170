import { refusal, rowTrigger } from '../../orm/index.ts'

/**
 * Lines change only while their order is PENDING. The look takes the order's lock, so nobody pays for it meanwhile. An order that is gone
 * takes its lines along, and one that isn't there, or another tenant's, is the foreign key's and the guard's business.
 */
export const linesAreFrozen = rowTrigger({
  table: 'marketplace_order_item',
  name: 'frozen',
  at: 'before',
  events: ['insert', 'delete', 'update of quantity, unit_minor'],
  body: `declare state text;
    begin
      select o.status into state from marketplace_order o where o.id = coalesce(new.order_id, old.order_id) for no key update;
      if state <> 'PENDING' then
        ${refusal({ table: 'marketplace_order_item', name: 'frozen', message: 'lines of an order change only while it is PENDING' })}
      end if;
      return coalesce(new, old);
    end;`,
})

/** A total is an amount of one currency. What an item costs later, and in which, is no matter of orders that were placed. */
export const linesShareCurrency = rowTrigger({
  table: 'marketplace_order_item',
  name: 'currency',
  at: 'before',
  events: ['insert'],
  body: `begin
      if (select o.currency from marketplace_order o where o.id = new.order_id) <> (select i.currency from marketplace_item i where i.id = new.item_id) then
        ${refusal({ table: 'marketplace_order_item', name: 'currency', message: 'a line must be priced in the currency of its order' })}
      end if;
      return new;
    end;`,
})

/**
 * An order's total is that of its lines when the transaction ends. Both sides look: whoever writes only one of them is refused. Each writer
 * of a line holds the order's lock by then, so two can't pass each other by.
 */
export const totalOfOrder = totalRule('marketplace_order', 'new.id', ['insert', 'update of total_minor'])
export const totalOfLines = totalRule('marketplace_order_item', 'coalesce(new.order_id, old.order_id)', [
  'insert',
  'delete',
  'update of quantity, unit_minor',
])

function totalRule(table: string, order: string, events: readonly string[]) {
  return rowTrigger({
    table,
    name: 'total',
    at: 'commit',
    events,
    body: `begin
      if exists (select from marketplace_order o where o.id = ${order} and o.total_minor is distinct from
        (select coalesce(sum(l.quantity * l.unit_minor), 0) from marketplace_order_item l where l.order_id = o.id)) then
        ${refusal({ table, name: 'total', message: 'the total of an order must be that of its lines' })}
      end if;
      return null;
    end;`,
  })
}
