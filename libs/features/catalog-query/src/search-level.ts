// The levels of the catalogue, from the widest down, and the alias each table has in every statement.

export type SearchLevel = 'study' | 'series' | 'instance';
export const LEVELS: readonly SearchLevel[] = ['study', 'series', 'instance'];
export const ALIAS: Readonly<Record<SearchLevel, string>> = { study: 's', series: 'se', instance: 'i' };

/** The level and those above it, widest first. */
export function levelsDownTo(level: SearchLevel): readonly SearchLevel[] {
  return LEVELS.slice(0, LEVELS.indexOf(level) + 1);
}
