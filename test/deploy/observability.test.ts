// Rules and dashboard beside the product: every metric they name is one that a running archive tells, every alert has an entry of the runbook.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OtlpReceiver, Product } from '@perennia/testing';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '..', '..');
const RULES = join(root, 'deploy', 'observability', 'prometheus-rules.yaml');
const DASHBOARD = join(root, 'deploy', 'observability', 'grafana-dashboard.json');
const RUNBOOK = 'docs/operations/monitoring.md';
const ROWS = ['Acquisition', 'Indexing', 'Filing', 'Storage tiers', 'Retrieval', 'Resources'];

interface Rule {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: Record<string, string>;
}
interface Panel {
  id: number;
  type: string;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string }[];
}

const rules = (parse(readFileSync(RULES, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
const { panels } = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as { panels: Panel[] };
const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
const metricsIn = (texts: readonly string[]): string[] => [...new Set(texts.flatMap((text) => text.match(/\bvna_[a-z0-9_]+/g) ?? []))].toSorted();
/** As GitHub makes them of headings. */
const anchors = new Set([...readFileSync(join(root, RUNBOOK), 'utf8').matchAll(/^#+ (.+)$/gm)].map((match) => match[1]!.toLowerCase().replaceAll(/[^\w\- ]/g, '').replaceAll(' ', '-')));

const directory = mkdtempSync(join(tmpdir(), 'perennia-observability-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('what a running archive tells', () => {
  const known = new Set<string>();
  let receiver: OtlpReceiver;
  let product: Product;

  beforeAll(async () => {
    receiver = await OtlpReceiver.start();
    product = await Product.start({ dataDirectory: join(directory, 'data'), environment: { VNA_TELEMETRY_ENDPOINT: receiver.endpoint } });
    const text = await (await fetch(`http://127.0.0.1:${product.healthPort}/metrics`)).text();
    for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
      for (const suffix of type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']) known.add(`${name}${suffix}`);
    }
  }, 120_000);
  afterAll(async () => {
    await product?.stop();
    await receiver?.stop();
  });

  it('given the alert rules, then each metric in them exists', () => {
    const named = metricsIn(rules.map(({ expr }) => expr));
    expect(named.length).toBeGreaterThan(15);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('given the rule that is commented out as an example, then its metrics exist too', () => {
    const comments = readFileSync(RULES, 'utf8').split('\n').filter((line) => line.trimStart().startsWith('#'));
    expect(metricsIn(comments).filter((name) => !known.has(name))).toEqual([]);
  });

  it('given the dashboard, then each metric in it exists', () => {
    const named = metricsIn(expressions);
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('given a quiet archive, then no gauge that alerts look at is above its threshold', async () => {
    let text = '';
    const valueOf = (name: string): number[] => [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].map((match) => Number(match[1]));
    // Each process has looked at its health once.
    while (valueOf('vna_ready').length < 3 || valueOf('vna_health_check').length < 3) text = await (await fetch(`http://127.0.0.1:${product.healthPort}/metrics`)).text();
    for (const name of ['vna_dead_letters_open', 'vna_consumer_paused', 'vna_unfiled_oldest_seconds', 'vna_outbox_oldest_seconds', 'vna_process_restarts_total']) {
      expect({ name, values: valueOf(name).every((value) => value === 0), told: valueOf(name).length > 0 }).toEqual({ name, values: true, told: true });
    }
    for (const name of ['vna_ready', 'vna_health_check', 'vna_process_up']) expect({ name, low: Math.min(...valueOf(name)) }).toEqual({ name, low: 1 });
    const [free, size] = [valueOf('vna_disk_free_bytes')[0]!, valueOf('vna_disk_size_bytes')[0]!];
    expect(free).toBeGreaterThan(0);
    expect(free).toBeLessThan(size);
  });
});

describe('the alert rules', () => {
  it('given any of them, then it has a name of its own, a severity, a summary and a runbook entry that exists', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert, labels, annotations } of rules) {
      expect({ alert, severity: labels.severity }).toEqual({ alert, severity: expect.stringMatching(/^(critical|warning|info)$/) });
      expect(annotations['summary']?.length).toBeGreaterThan(10);
      const [file, anchor] = annotations['runbook']!.split('#');
      expect({ alert, file, found: anchors.has(anchor!) }).toEqual({ alert, file: RUNBOOK, found: true });
    }
  });

  it('given the runbook, then it names every alert and none that does not exist', () => {
    const named = new Set(readFileSync(join(root, RUNBOOK), 'utf8').match(/\bPerennia[A-Z]\w+/g));
    named.delete('PerenniaNothingReceived');
    expect([...named].toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
  });

  it('given links of the runbook within itself, then each leads somewhere', () => {
    const links = [...readFileSync(join(root, RUNBOOK), 'utf8').matchAll(/\]\(#([^)]+)\)/g)].map((match) => match[1]!);
    expect(links.filter((link) => !anchors.has(link))).toEqual([]);
  });

  it('given promtool, where there is one, then it takes the rules', () => {
    const { error, status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', RULES], { encoding: 'utf8' });
    if (error) return;
    expect({ status, output: stdout + stderr }).toEqual({ status: 0, output: expect.stringContaining(`${rules.length} rules found`) });
  });
});

describe('the dashboard', () => {
  it('given its rows, then they follow the way of an object, and no panel covers another', () => {
    expect(panels.filter(({ type }) => type === 'row').map(({ title }) => title)).toEqual(ROWS);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => Array.from({ length: w * h }, (_, at) => `${x + (at % w)}/${y + Math.floor(at / w)}`));
    expect(new Set(cells).size).toBe(cells.length);
  });

  it('given promtool, where there is one, then it takes each expression', () => {
    const query = (expr: string): string => expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '1m');
    const groups = { groups: [{ name: 'dashboard', rules: expressions.map((expr, at) => ({ record: `panel:${at}`, expr: query(expr) })) }] };
    const file = join(directory, 'panels.yaml');
    writeFileSync(file, JSON.stringify(groups));
    const { error, status, stderr } = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' });
    if (error) return;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
