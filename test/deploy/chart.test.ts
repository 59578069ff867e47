// The Helm chart: linted and rendered by Helm, every resource held to the schemas of Kubernetes, every container to our rules and to the product's own
// configuration. It was never installed anywhere: no cluster here.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hasBackend, helmProgram } from '@perennia/testing';
import { parseAllDocuments } from 'yaml';
import { settingProblems, type Environment } from './product-settings.js';

interface Variable {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef: { name: string; key: string } };
}
interface Container {
  name: string;
  image: string;
  env?: Variable[];
  resources?: { requests?: unknown; limits?: { memory?: string } };
  securityContext: Record<string, unknown>;
  volumeMounts: { name: string; mountPath: string }[];
  [probe: `${string}Probe`]: { exec: { command: string[] } } | undefined;
}
interface PodSpec extends Record<string, unknown> {
  containers: Container[];
  volumes: Record<string, unknown>[];
  securityContext: Record<string, unknown>;
}
interface Resource {
  kind: string;
  metadata: { name: string; annotations?: Record<string, string> };
  spec: Record<string, unknown> & { template?: { metadata: { labels: Record<string, string> }; spec: PodSpec }; volumeClaimTemplates?: { metadata: { name: string } }[] };
}

const chart = join(import.meta.dirname, '../../helm/vna');
const valueSets = readdirSync(join(chart, 'ci')).toSorted();
const KUBERNETES = ['1.30.0', '1.36.0'];
const directory = mkdtempSync(join(tmpdir(), 'perennia-chart-'));
const WORKLOADS = ['Deployment', 'StatefulSet', 'Job'];
let helm: string;

function run(...parameters: string[]): { status: number | null; stdout: string; stderr: string } {
  // Nothing of the user's own Helm is read or written.
  const own = { HELM_CACHE_HOME: directory, HELM_CONFIG_HOME: directory, HELM_DATA_HOME: directory };
  return spawnSync(helm, [...parameters, '--kube-version', KUBERNETES.at(-1)!], { encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: directory, ...own } });
}
function rendered(values: string, ...more: string[]): Resource[] {
  const { status, stdout, stderr } = run('template', 'vna', chart, '-f', join(chart, 'ci', values), ...more);
  if (status !== 0) throw new Error(stderr);
  return parseAllDocuments(stdout).map((document) => document.toJS() as Resource | null).filter((resource) => resource !== null);
}
const podsOf = (resources: Resource[]): { resource: Resource; pod: PodSpec }[] =>
  resources.filter(({ kind }) => WORKLOADS.includes(kind)).map((resource) => ({ resource, pod: resource.spec.template!.spec }));

/** Secrets that a pod is given are replaced by something of the right shape. */
const environmentOf = ({ env = [] }: Container): Environment =>
  Object.fromEntries(env.map(({ name, value }) => [name, value ?? (name === 'VNA_DATABASE_URL' ? 'postgres://user:password@database:5432/vna' : 'secret')]));

afterAll(() => rmSync(directory, { recursive: true, force: true }));

(hasBackend('helm') ? describe : describe.skip)('the Helm chart', () => {
  beforeAll(async () => {
    helm = await helmProgram();
  }, 900_000);

  describe.each(valueSets)('with %s', (values) => {
    it('passes lint, and every resource the schemas of Kubernetes', () => {
      const lint = run('lint', chart, '--strict', '-f', join(chart, 'ci', values));
      expect([lint.status, lint.stdout]).toEqual([0, expect.stringContaining('1 chart(s) linted, 0 chart(s) failed')]);
      const file = join(directory, values);
      writeFileSync(file, run('template', 'vna', chart, '-f', join(chart, 'ci', values)).stdout);
      for (const version of KUBERNETES) {
        const valid = spawnSync('kubernetes-validate', ['--strict', '-k', version, file], { encoding: 'utf8' });
        expect([valid.status, valid.stdout + valid.stderr]).toEqual([0, expect.not.stringMatching(/ERROR|WARN/)]);
      }
    });

    it('runs nothing as root, writes nowhere but in volumes, keeps no capability, takes no token', () => {
      for (const { pod } of podsOf(rendered(values))) {
        expect(pod).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
        expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 10_001, seccompProfile: { type: 'RuntimeDefault' } });
        for (const container of pod.containers) {
          expect(container.securityContext).toEqual({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
          expect(container.image).toMatch(/^registry\.example\.org\/perennia:0\.1\.0$/);
          expect(container.resources?.limits?.memory).toBeDefined();
        }
        expect(JSON.stringify(pod)).not.toMatch(/hostPath|hostNetwork|hostPID|privileged/);
      }
    });

    it('gives every service settings that the product takes, and secrets by reference only', () => {
      for (const { resource, pod } of podsOf(rendered(values))) {
        for (const container of pod.containers) {
          if (resource.kind !== 'Job') expect([resource.metadata.name, ...settingProblems(environmentOf(container))]).toEqual([resource.metadata.name]);
          for (const { name, value } of container.env ?? []) if (/PASSWORD|SECRET|DATABASE_URL/.test(name)) expect([name, value]).toEqual([name, undefined]);
        }
      }
      expect(rendered(values).some(({ kind }) => kind === 'Secret')).toBe(false);
    });

    it('asks every service from within whether it lives and is ready', () => {
      for (const { resource, pod } of podsOf(rendered(values)).filter((each) => each.resource.kind !== 'Job')) {
        const [container] = pod.containers;
        const asked = ['startupProbe', 'livenessProbe', 'readinessProbe'].map((name) => container![name as 'livenessProbe']?.exec.command.at(-1));
        expect([resource.metadata.name, asked]).toEqual([resource.metadata.name, ['livez', 'livez', 'readyz']]);
      }
    });

    it('keeps what a receiving pod acknowledged on a volume that outlives it, unless the object store does', () => {
      for (const { resource, pod } of podsOf(rendered(values)).filter((each) => each.resource.kind !== 'Job')) {
        const roles = pod.containers[0]!.env!.find(({ name }) => name === 'VNA_ROLES')!.value!;
        const receives = /ingest|dicomweb/.test(roles);
        const stateful = receives && values !== 'object-landing-values.yaml';
        expect([resource.metadata.name, resource.kind]).toEqual([resource.metadata.name, stateful ? 'StatefulSet' : 'Deployment']);
        if (!stateful) continue;
        expect(resource.spec).toMatchObject({ persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' } });
        expect(resource.spec.volumeClaimTemplates!.map(({ metadata }) => metadata.name)).toEqual(['data']);
      }
    });
  });

  it('given the cluster, then there is one workload a role, a migration before it, budgets, autoscalers and policies', () => {
    const names = rendered('cluster-values.yaml').map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(names.toSorted()).toEqual([
      'Deployment vna-indexing', 'Deployment vna-lifecycle', 'HorizontalPodAutoscaler vna-dicomweb', 'HorizontalPodAutoscaler vna-indexing', 'HorizontalPodAutoscaler vna-ingest',
      'Job vna-migrate', 'NetworkPolicy vna-default', 'NetworkPolicy vna-dicom', 'NetworkPolicy vna-dicomweb', 'PodDisruptionBudget vna-dicomweb', 'PodDisruptionBudget vna-indexing',
      'PodDisruptionBudget vna-ingest', 'Service vna-dicom', 'Service vna-dicomweb', 'Service vna-dicomweb-pods', 'Service vna-ingest-pods', 'ServiceAccount vna', 'StatefulSet vna-dicomweb',
      'StatefulSet vna-ingest',
    ]);
    const job = rendered('cluster-values.yaml').find(({ kind }) => kind === 'Job')!;
    expect(job.metadata.annotations).toMatchObject({ 'helm.sh/hook': 'pre-install,pre-upgrade' });
    expect(job.spec.template!.spec.containers[0]).toMatchObject({ command: ['vna', 'migrate'], env: [{ name: 'VNA_DATABASE_URL', valueFrom: { secretKeyRef: { name: 'archive-database', key: 'url' } } }] });
  });

  it('given autoscaling of indexing, then it follows the lag that was named and nothing else', () => {
    const autoscaler = rendered('cluster-values.yaml').find(({ kind, metadata }) => kind === 'HorizontalPodAutoscaler' && metadata.name === 'vna-indexing')!;
    expect(autoscaler.spec['metrics']).toEqual([{ type: 'External', external: { metric: { name: 'archive_log_lag' }, target: { type: 'AverageValue', averageValue: '5000' } } }]);
  });

  it.each([
    ['no image', ['image.repository='], 'image.repository is empty'],
    ['nobody who may send', ['sources=null'], 'would take objects from anybody'],
    ['DICOMweb for strangers', ['services.dicomweb.unsafeListen=false'], 'would serve patient data without sign-in'],
    ['an embedded database for several pods', ['database.existingSecret='], 'the embedded PostgreSQL serves one pod only'],
    ['a receiver without a place to keep things', ['services.ingest.landing=none'], 'is lost with its pod'],
    ['the tag latest', ['image.tag=latest'], 'image/tag'],
    ['a misspelt value', ['replicaz=3'], 'replicaz'],
    ['a secret as a value', ['kafka.password=x'], 'password'],
    ['an unknown role', ['services.ingest.roles[0]=reception'], 'services/ingest/roles'],
    ['a variable of somebody else', ['environment.PATH=x'], 'PATH'],
    ['autoscaling on nothing', ['services.lifecycle.autoscaling.enabled=true', 'services.lifecycle.autoscaling.cpuPercent=0'], 'needs cpuPercent or external.metricName'],
  ])('given %s, then nothing is rendered, and a sentence says why', (_, settings, sentence) => {
    const { status, stderr } = run('template', 'vna', chart, '-f', join(chart, 'ci', 'cluster-values.yaml'), ...settings.flatMap((setting) => ['--set', setting]));
    expect(stderr).toContain(sentence);
    expect(status).toBe(1);
  });

  it('given no values, then it decides nothing for you', () => {
    expect(run('template', 'vna', chart).status).toBe(1);
  });
});
