// The metrics of all processes of the archive as one answer for Prometheus: each sample says which process it is of.

export interface MetricsSource {
  name: string;
  /** In the text format of Prometheus; may fail while the process is being started. */
  text(): Promise<string>;
  /** How often it was started again. */
  restarts?: () => number;
}

const RESTARTS_HEAD = ['# HELP vna_process_restarts_total How often a process of the archive was started again', '# TYPE vna_process_restarts_total counter'];

interface Family {
  head: string[];
  samples: string[];
}

export class GatheredMetrics {
  constructor(private readonly sources: readonly MetricsSource[]) {}

  /** Processes that do not answer are left out; `vna_process_up` says which. */
  async text(): Promise<string> {
    const families = new Map<string, Family>();
    const up: string[] = [];
    const answers = await Promise.all(this.sources.map(async ({ name, text }) => ({ name, answer: await text().catch(() => undefined) })));
    for (const { name, answer } of answers) {
      up.push(`vna_process_up{process="${name}"} ${answer === undefined ? 0 : 1}`);
      if (answer !== undefined) addFamilies(families, answer, name);
    }
    families.set('vna_process_up', { head: ['# HELP vna_process_up 1 for a process of the archive that answers', '# TYPE vna_process_up gauge'], samples: up });
    const restarts = this.sources.flatMap(({ name, restarts: count }) => (count ? [`vna_process_restarts_total{process="${name}"} ${count()}`] : []));
    families.set('vna_process_restarts_total', { head: RESTARTS_HEAD, samples: restarts });
    return [...families.values()].map(({ head, samples }) => `${[...head, ...samples].join('\n')}\n`).join('\n');
  }
}

/** The lines of one metric stand together in the format, whatever process they are of. */
function addFamilies(families: Map<string, Family>, text: string, process: string): void {
  let family: Family = { head: [], samples: [] };
  for (const line of text.split('\n')) {
    if (line.startsWith('# HELP ')) {
      const name = line.split(' ', 3)[2]!;
      family = families.get(name) ?? { head: [], samples: [] };
      if (family.head.length === 0) family.head.push(line);
      families.set(name, family);
    } else if (line.startsWith('# TYPE ')) {
      if (family.head.length === 1) family.head.push(line);
    } else if (line !== '') {
      family.samples.push(labelled(line, process));
    }
  }
}

function labelled(sample: string, process: string): string {
  const label = `process="${process}"`;
  const brace = sample.indexOf('{');
  const space = sample.indexOf(' ');
  if (brace >= 0 && brace < space) return `${sample.slice(0, brace + 1)}${label},${sample.slice(brace + 1)}`;
  return `${sample.slice(0, space)}{${label}}${sample.slice(space)}`;
}
