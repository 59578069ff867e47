// docs/configuration.md, generated: what an option means stands beside its declaration and nowhere else.
import type { ConfigSection } from './define-config.js';
import { showValue } from './effective-config.js';
import { optionsOf, type ConfigOption } from './option-list.js';

const INTRODUCTION = `# Configuration

<!-- Generated from the schemas by \`node tools/generate.mjs\`; do not edit. -->

Every option of the product. Precedence: the default, below the file \`vna.yaml\` (or the file named by \`VNA_CONFIG\`), below the
environment variable. Durations are written \`250ms\`, \`30s\`, \`5m\`, \`2h\`, \`7d\`; sizes \`512B\`, \`8MiB\`, \`1GiB\`. A key that is not
listed here stops the start. \`npx vna config\` shows the values in force and where each came from.

\`\`\`yaml
# vna.yaml
data: /srv/perennia
ingest:
  port: 11112
\`\`\`
`;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function row(option: ConfigOption): string {
  const cells = [
    `\`${option.path}\`<br>\`${option.variable}\``,
    `${option.description ?? ''}${option.secret ? ' (secret: never shown)' : ''}`,
    option.kind === undefined ? (option.unit ?? '') : option.kind,
    `\`${showValue(option, option.defaultValue)}\``,
    option.bound ?? '',
  ];
  return `| ${cells.map(cell).join(' | ')} |`;
}

export function configReference(sections: readonly ConfigSection[]): string {
  const options = optionsOf(sections);
  const tables = sections.map((section) => {
    const rows = options.filter((option) => option.section === section).map(row);
    return [`## ${section.section === '' ? 'Top level' : `\`${section.section}\``}`, '', '| Key | Meaning | Unit | Default | Bound |', '|---|---|---|---|---|', ...rows].join('\n');
  });
  return `${[INTRODUCTION.trimEnd(), ...tables].join('\n\n')}\n`;
}
