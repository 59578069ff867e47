export { EffectiveConfig, type EffectiveValue, type ShownValue } from './effective-config.js';
export { configReference } from './config-reference.js';
export { countOption, durationOption, flagOption, listOption, portOption, sizeOption, textOption, type OptionMeta } from './options.js';
export { defineConfig, type ConfigSection, type TypedConfigSection } from './define-config.js';
export { formatDurationMs, formatSizeBytes, parseDurationMs, parseSizeBytes } from './quantity.js';
export { loadConfig, type ConfigSources } from './load-config.js';
export { optionsOf, type ConfigOption } from './option-list.js';
