// The Helm chart: linted and rendered by Helm, every resource held to the schemas of Kubernetes, every container to our rules and to the product's own
// configuration. It was never installed anywhere: no cluster here.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hasBackend, helmProgram } from '@perennia/testing';
import { parseAllDocuments } from 'yaml';
import { settingProblems, stopSeconds, type Environment } from './product-settings.js';

interface Variable {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef?: { name: string; key: string }; fieldRef?: { fieldPath: string } };
}
interface Container {
  name: string;
  image: string;
  env?: Variable[];
  resources?: { requests?: unknown; limits?: { memory?: string } };
  securityContext: Record<string, unknown>;
  volumeMounts: { name: string; mountPath: string }[];
  [probe: `${string}Probe`]: { httpGet: { path: string; port: string } } | undefined;
  lifecycle?: unknown;
  ports?: { name: string; containerPort: number }[];
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
const RECEIVING = /ingest|dicomweb|retrieve/;
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

const servicesOf = (resources: Resource[]): { resource: Resource; pod: PodSpec }[] => podsOf(resources).filter(({ resource }) => resource.kind !== 'Job');

/** Secrets, and what the cluster fills in, are replaced by something of the right shape. */
const FILLED_IN: Record<string, string> = { VNA_DATABASE_URL: 'postgres://user:password@database:5432/vna', VNA_INSTANCE: 'vna-ingest-0' };
const environmentOf = ({ env = [] }: Container): Environment => Object.fromEntries(env.map(({ name, value }) => [name, value ?? FILLED_IN[name] ?? 'secret']));

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
          expect([resource.metadata.name, ...settingProblems(environmentOf(container))]).toEqual([resource.metadata.name]);
          for (const { name, value } of container.env ?? []) if (/PASSWORD|SECRET|DATABASE_URL/.test(name)) expect([name, value]).toEqual([name, undefined]);
        }
      }
      expect(rendered(values).some(({ kind }) => kind === 'Secret')).toBe(false);
    });

    it('lets the kubelet ask every service at its health port whether it lives and is ready', () => {
      for (const { resource, pod } of servicesOf(rendered(values))) {
        const [container] = pod.containers;
        const asked = ['startupProbe', 'livenessProbe', 'readinessProbe'].map((name) => container![name as 'livenessProbe']?.httpGet);
        expect([resource.metadata.name, asked]).toEqual([resource.metadata.name, ['/livez', '/livez', '/readyz'].map((path) => ({ path, port: 'health' }))]);
        expect(environmentOf(container!)).toMatchObject({ VNA_HEALTH_HOST: '0.0.0.0' });
      }
    });

    it('gives a pod more time to stop than the product needs, and connections time to go elsewhere', () => {
      for (const { pod } of servicesOf(rendered(values))) {
        const { VNA_ROLES: roles, ...environment } = environmentOf(pod.containers[0]!);
        expect(pod['terminationGracePeriodSeconds']).toBeGreaterThan(5 + stopSeconds({ VNA_ROLES: roles!, ...environment }));
        if (RECEIVING.test(roles!)) expect(pod.containers[0]!.lifecycle).toEqual({ preStop: { exec: { command: ['sleep', '5'] } } });
      }
    });

    it('gives what receives a name that stays: a volume that outlives the pod, or an area in the store named like it', () => {
      for (const { resource, pod } of servicesOf(rendered(values))) {
        const environment = environmentOf(pod.containers[0]!);
        const receives = RECEIVING.test(environment['VNA_ROLES']!);
        expect([resource.metadata.name, resource.kind]).toEqual([resource.metadata.name, receives ? 'StatefulSet' : 'Deployment']);
        if (!receives) continue;
        if (environment['VNA_STORAGE_LANDING'] === 'file') {
          expect(resource.spec).toMatchObject({ persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' } });
          expect(resource.spec.volumeClaimTemplates!.map(({ metadata }) => metadata.name)).toEqual(['data']);
        } else {
          expect(pod.containers[0]!.env).toContainEqual({ name: 'VNA_INSTANCE', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } });
          expect(resource.spec.volumeClaimTemplates).toBeUndefined();
        }
      }
    });

    it('mounts every file that a setting names', () => {
      for (const { pod } of podsOf(rendered(values))) {
        const { VNA_STORAGE_TIERS: tiers = '[]', VNA_KAFKA_CA_FILE: caFile } = environmentOf(pod.containers[0]!);
        const named = [...(JSON.parse(tiers) as Record<string, string>[]).flatMap(({ secretAccessKeyFile, caFile: ca }) => [secretAccessKeyFile, ca]), caFile].filter((path) => path !== undefined);
        const mounted = pod.containers[0]!.volumeMounts.map(({ mountPath }) => mountPath);
        for (const path of named) expect(mounted).toContain(path.slice(0, path.lastIndexOf('/')));
        expect(pod.volumes.length).toBe(mounted.length - (mounted.includes('/data') && pod.volumes.every(({ name }) => name !== 'data') ? 1 : 0));
      }
    });
  });

  it('given the cluster, then there is one workload a role, a migration before it, budgets, autoscalers and policies', () => {
    const names = rendered('cluster-values.yaml').map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(names.toSorted()).toEqual([
      'Deployment vna-indexing', 'Deployment vna-lifecycle', 'HorizontalPodAutoscaler vna-dicomweb', 'HorizontalPodAutoscaler vna-indexing', 'HorizontalPodAutoscaler vna-ingest',
      'HorizontalPodAutoscaler vna-retrieve', 'Job vna-migrate', 'NetworkPolicy vna-default', 'NetworkPolicy vna-dicom', 'NetworkPolicy vna-dicomweb', 'NetworkPolicy vna-metrics',
      'NetworkPolicy vna-query', 'PodDisruptionBudget vna-dicomweb', 'PodDisruptionBudget vna-indexing', 'PodDisruptionBudget vna-ingest', 'PodDisruptionBudget vna-retrieve', 'Service vna-dicom',
      'Service vna-dicomweb', 'Service vna-dicomweb-pods', 'Service vna-ingest-pods', 'Service vna-query', 'Service vna-retrieve-pods', 'ServiceAccount vna', 'StatefulSet vna-dicomweb',
      'StatefulSet vna-ingest', 'StatefulSet vna-retrieve',
    ]);
    const job = rendered('cluster-values.yaml').find(({ kind }) => kind === 'Job')!;
    expect(job.metadata.annotations).toMatchObject({ 'helm.sh/hook': 'pre-install,pre-upgrade' });
    expect(job.spec.template!.spec.containers[0]).toMatchObject({ command: ['vna', 'migrate'] });
    // It makes the topics too.
    expect(job.spec.template!.spec.containers[0]!.env).toEqual(expect.arrayContaining([
      { name: 'VNA_DATABASE_URL', valueFrom: { secretKeyRef: { name: 'archive-database', key: 'url' } } },
      { name: 'VNA_KAFKA_PASSWORD', valueFrom: { secretKeyRef: { name: 'archive-kafka', key: 'password' } } },
    ]));
  });

  it('given the cluster, then queries have an address of their own, for those who reach the DICOM port and nobody else', () => {
    const resources = rendered('cluster-values.yaml');
    const named = (kind: string, name: string): Resource => resources.find((each) => each.kind === kind && each.metadata.name === name)!;
    expect(named('Service', 'vna-query').spec).toMatchObject({ type: 'LoadBalancer', ports: [{ name: 'query', port: 104, targetPort: 'query', protocol: 'TCP' }] });
    for (const name of ['query', 'dicom']) {
      expect(named('NetworkPolicy', `vna-${name}`).spec['ingress']).toEqual([{ from: [{ ipBlock: { cidr: '10.20.0.0/16' } }], ports: [{ port: name, protocol: 'TCP' }] }]);
    }
    for (const { resource } of servicesOf(resources)) expect(resource.spec.template!.metadata.labels['perennia/query']).toBe(resource.metadata.name === 'vna-retrieve' ? 'true' : undefined);
  });

  it('given everything in one pod, then what asks and what sends have one port', () => {
    const resources = rendered('all-in-one-values.yaml');
    const ports = servicesOf(resources).map(({ pod }) => pod.containers[0]!.ports!.map(({ name }) => name));
    expect(ports).toEqual([['health', 'dicom', 'dicomweb']]);
    expect(resources.some(({ kind, metadata }) => kind === 'Service' && metadata.name === 'vna-query')).toBe(false);
  });

  it('given the cluster, then whoever scrapes reaches the health port, and nothing else of a pod', () => {
    const policy = rendered('cluster-values.yaml').find(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === 'vna-metrics')!;
    const from = [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }];
    expect(policy.spec['ingress']).toEqual([{ from, ports: [{ port: 'health', protocol: 'TCP' }] }]);
  });

  it('given a Prometheus operator, then a monitor looks at the health port of every pod, ready or not', () => {
    const resources = rendered('cluster-values.yaml', '--set', 'metrics.serviceMonitor.enabled=true');
    expect(resources.find(({ kind }) => kind === 'ServiceMonitor')!.spec['endpoints']).toEqual([{ port: 'health', path: '/metrics', interval: '30s' }]);
    const { selector, publishNotReadyAddresses } = resources.find(({ kind, metadata }) => kind === 'Service' && metadata.name === 'vna-metrics')!.spec;
    expect(publishNotReadyAddresses).toBe(true);
    for (const { resource } of servicesOf(resources)) expect(resource.spec.template!.metadata.labels).toMatchObject(selector as Record<string, string>);
    expect(rendered('cluster-values.yaml').some(({ kind }) => kind === 'ServiceMonitor')).toBe(false);
  });

  it('given autoscaling of indexing, then it follows the lag that was named and nothing else', () => {
    const autoscaler = rendered('cluster-values.yaml').find(({ kind, metadata }) => kind === 'HorizontalPodAutoscaler' && metadata.name === 'vna-indexing')!;
    expect(autoscaler.spec['metrics']).toEqual([{ type: 'External', external: { metric: { name: 'vna_consumer_lag_records', selector: { matchLabels: { topic: 'vna.instance.received.v1' } } }, target: { type: 'AverageValue', averageValue: '5000' } } }]);
  });

  it.each([
    ['no image', ['image.repository='], 'image.repository is empty'],
    ['nobody who may send', ['sources=null'], 'services.ingest would take objects and queries from anybody'],
    ['nobody who may ask', ['sources=null', 'services.ingest.enabled=false'], 'services.retrieve would take objects and queries from anybody'],
    ['DICOMweb for strangers', ['services.dicomweb.unsafeListen=false'], 'would serve patient data without sign-in'],
    ['an embedded database for several pods', ['database.existingSecret='], 'the embedded PostgreSQL serves one pod only'],
    ['several pods that land on disks of their own', ['storage.landing=file'], 'would not see what another one received'],
    ['several pods that file on disks of their own', ['storage.hot=disk', 'storage.tiers[2].name=disk', 'storage.tiers[2].kind=file', 'storage.tiers[2].directory=objects'], 'would not see what another one filed'],
    ['a landing tier that is not there', ['storage.landing=elsewhere'], 'neither file nor the name of an S3 tier'],
    ['a second tier that is not there', ['storage.second=elsewhere'], 'there is no tier elsewhere'],
    ['a pod that is killed while it stops', ['shutdownGraceSeconds=40'], 'would be killed while it stops in order'],
    ['names too long for a copy', ['nameOverride=a-name-of-more-than-thirty-characters'], 'at most 40 characters'],
    ['a mechanism that the product does not know', ['kafka.mechanism=plain'], 'mechanism'],
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
