// SQL for "the first value wins, what was empty is filled in", within `insert into … as s … on conflict do update`.

export const firstOf = (column: string): string => `${column} = coalesce(s.${column}, excluded.${column})`;

/** Left as it is where nothing is new, so that the update stays HOT. */
export const unionOf = (column: string): string => `${column} = case when s.${column} @> excluded.${column} then s.${column}
    else array(select distinct unnest(s.${column} || excluded.${column}) collate "C" as value order by value) end`;

/** Elements with a value win over those without; among elements with a value the kept one. */
export const filledAttributes = `attributes = case when s.attributes @> excluded.attributes then s.attributes
    else s.attributes || excluded.attributes || (
      select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(s.attributes) where value ?| array['Value', 'InlineBinary', 'BulkDataURI']) end`;
