export { defineConfig, type ConfigSection } from './define-config.js';
export { countOption, durationOption, flagOption, portOption, sizeOption, textOption, type OptionMeta } from './options.js';
export { formatDurationMs, formatSizeBytes, parseDurationMs, parseSizeBytes } from './quantity.js';
