// A Dockerfile as its instructions, and the rules that ours keeps. Each rule gives sentences.
import { isPinned } from './compose-rules.js';

export interface Instruction {
  name: string;
  rest: string;
}
export interface Stage {
  base: string;
  alias: string | undefined;
  instructions: Instruction[];
}

const SECRET = /PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_KEY|CREDENTIAL/i;
const IN_EXEC_FORM = /^\[\s*"/;

export function stagesOf(text: string): Stage[] {
  const stages: Stage[] = [];
  const lines = text.split('\n').filter((line) => !/^\s*#/.test(line)).join('\n').replaceAll(/\\\n/g, ' ').split('\n');
  for (const line of lines.map((each) => each.trim()).filter(Boolean)) {
    const [, name, rest] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    if (name === undefined) throw new Error(`No instruction: ${line}`);
    const instruction = { name: name.toUpperCase(), rest: rest!.replaceAll(/\s+/g, ' ') };
    if (instruction.name === 'FROM') {
      const [base, , alias] = instruction.rest.split(' ');
      stages.push({ base: base!, alias, instructions: [] });
    } else if (instruction.name !== 'ARG' || stages.length > 0) stages.at(-1)!.instructions.push(instruction);
  }
  return stages;
}

export const all = (stage: Stage, name: string): string[] => stage.instructions.filter((each) => each.name === name).map(({ rest }) => rest);
const last = (stage: Stage, name: string): string | undefined => all(stage, name).at(-1);

/** The command of an instruction in exec form. */
export const commandOf = (stage: Stage, name: 'CMD' | 'HEALTHCHECK'): string[] => JSON.parse(last(stage, name)!.replace(/^.*?(?=\[)/, '')) as string[];

export function environmentOf(stage: Stage): Record<string, string> {
  return Object.fromEntries(all(stage, 'ENV').flatMap((rest) => rest.split(' ').map((pair) => pair.split('=') as [string, string])));
}

/** @param workspaces folders whose package.json the installation depends on */
export function dockerfileProblems(text: string, workspaces: readonly string[]): string[] {
  const stages = stagesOf(text);
  const final = stages.at(-1)!;
  return [...stages.flatMap((stage) => [...baseProblems(stage, stages), ...wordProblems(stage)]), ...installProblems(stages, workspaces), ...finalProblems(final)];
}

function baseProblems({ base }: Stage, stages: readonly Stage[]): string[] {
  return stages.some(({ alias }) => alias === base) || isPinned(base) ? [] : [`base image ${base} is not pinned by a tag`];
}

function wordProblems(stage: Stage): string[] {
  const named = [...all(stage, 'ENV'), ...all(stage, 'ARG')].filter((rest) => SECRET.test(rest.split('=')[0]!) || rest.split(' ').some((pair) => SECRET.test(pair.split('=')[0]!)));
  return [
    ...all(stage, 'ADD').map((rest) => `ADD ${rest}: COPY says what it does, and fetches nothing`),
    ...named.map((rest) => `a secret would stay in the image: ${rest.split('=')[0]}`),
    ...all(stage, 'RUN').filter((rest) => /\b(curl|wget)\b/.test(rest)).map((rest) => `fetches something that no lock file knows: ${rest}`),
    ...all(stage, 'RUN').filter((rest) => /\bnpm (install|i)\b/.test(rest)).map(() => 'npm install may install what is not locked: npm ci'),
    ...all(stage, 'RUN').filter((rest) => /\bsudo\b|chmod (-R )?777/.test(rest)).map((rest) => `gives rights away: ${rest}`),
  ];
}

/** Manifests first, then the installation, then sources: a change of a source does not install anew. */
function installProblems(stages: readonly Stage[], workspaces: readonly string[]): string[] {
  const stage = stages.find((each) => all(each, 'RUN').some((rest) => rest.includes('npm ci')));
  if (!stage) return ['nothing is installed from the lock file'];
  const at = stage.instructions.findIndex(({ name, rest }) => name === 'RUN' && rest.includes('npm ci'));
  const before = stage.instructions.slice(0, at).filter(({ name }) => name === 'COPY').flatMap(({ rest }) => rest.split(' ').slice(0, -1));
  const isManifest = (path: string): boolean => /(^|\/)(package(-lock)?\.json|\.npmrc)$/.test(path);
  const wanted = ['package.json', 'package-lock.json', ...workspaces.map((folder) => `${folder}/package.json`)];
  return [
    ...wanted.filter((path) => !before.includes(path)).map((path) => `${path} is not copied before the installation`),
    ...before.filter((path) => !isManifest(path)).map((path) => `${path} is copied before the installation`),
  ];
}

function finalProblems(final: Stage): string[] {
  const user = last(final, 'USER');
  const afterUser = final.instructions.slice(final.instructions.findIndex(({ name }) => name === 'USER') + 1);
  const commands = [last(final, 'CMD') ?? '', last(final, 'HEALTHCHECK')?.replace(/^.*?CMD /, '') ?? ''];
  return [
    ...(user === undefined || /^(root|0)(:|$)/.test(user) ? ['it runs as root'] : []),
    ...(user !== undefined && !/^[1-9]\d*:[1-9]\d*$/.test(user) ? [`USER ${user} is no number: a cluster cannot tell that it is not root`] : []),
    ...(afterUser.some(({ name }) => ['RUN', 'COPY'].includes(name)) ? ['something is built after USER'] : []),
    ...(commands.every((command) => IN_EXEC_FORM.test(command)) ? [] : ['CMD and HEALTHCHECK must be there in exec form: a shell would swallow signals']),
    ...(commands.some((command) => /\b(npm|npx|yarn)\b/.test(command)) || all(final, 'RUN').some((rest) => /\bnpm\b/.test(rest)) ? ['npm is used at run time'] : []),
    ...all(final, 'COPY').filter((rest) => !rest.startsWith('--from=') && !rest.startsWith('deploy/')).map((rest) => `${rest} comes from the checkout and not from the build`),
  ];
}
