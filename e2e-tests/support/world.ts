// A manager in use: instances in every state, pull requests, users. Its machines and its GitHub are fakes, so that it is
// ready within seconds.
import type { Program, Settings } from './program.ts';
import { Api, type AppServer, type Instance } from './api.ts';
import { Github } from './github.ts';
import { expect, FAKE_MACHINES, test as base } from './story.ts';

const REPOSITORY = 'acme/edx-platform';
const SECRET = 'what GitHub signs with';
const TOKEN = 'ghp_storyteller';

/** A user who may only read. */
export const VIEWER = { username: 'grace', password: 'seven otters juggle lamps' };

/** The settings of an instance whose builds do not end by themselves during a story. */
export const ENDLESS = { configuration_extra_settings: 'demo_pause_seconds: 600\n' };

/** Instances, each named by its state. */
export interface World {
  api: Api;
  /** An active app server, a fallback, a newer one that waits, and settings that are not deployed. */
  serving: Instance;
  newer: AppServer;
  building: Instance;
  failed: Instance;
  stopped: Instance;
  /** Rolled back, and therefore on hold. */
  held: Instance;
  archived: Instance;
  /** Without an app server. */
  vacant: Instance;
  /** Made for a pull request. */
  pullRequest: Instance;
}

export const test = base.extend<{ github: Github }>({
  github: async ({}, use) => {
    const github = await Github.start();
    await github.order('repository', { repository: REPOSITORY });
    await github.order('set_team', { organization: 'acme', team: 'owners', logins: ['ada'] });
    await github.order('set_secret', { text: SECRET });
    await github.order('set_token', { text: TOKEN });
    await use(github);
    await github.stop();
  },
  settings: async ({ github }, use) => use({ ...FAKE_MACHINES, ...watching(github) }),
});

function watching(github: Github): Settings {
  return {
    OCIM_BUILD_SLOTS: '8',
    GITHUB_API_URL: github.url,
    GITHUB_URL: github.url,
    GITHUB_ACCESS_TOKEN: TOKEN,
    GITHUB_WEBHOOK_SECRETS: SECRET,
    WATCH_FORK: REPOSITORY,
    WATCH_ORGANIZATION: 'acme',
    WATCH_ON_COMMIT: 'nothing',
    WATCH_REPORT: 'nothing',
    WATCH_INTERVAL: '3600',
  };
}

/** Fills an empty program. */
export async function seed(program: Program, github: Github): Promise<World> {
  const api = await Api.signIn(program);
  const [first, building, failed, stopped, held, archived, vacant] = await Promise.all([
    serve(api),
    build(api, 'Botany Academy', 'botany', ENDLESS),
    build(api, 'Chemistry Academy', 'chemistry', { configuration_extra_settings: 'demo_fail_message: "the mirror is away"\n' }),
    build(api, 'Drama Academy', 'drama', ENDLESS),
    hold(api),
    api.create('Folklore Academy', 'folklore'),
    api.create('Geology Academy', 'geology'),
    api.post('/users', { ...VIEWER, role: 'viewer' }),
    api.post('/auth/tokens', { name: 'nightly deploy', role: 'viewer' }),
  ]);
  await api.post(`/app-servers/${stopped.server.id}/stop`, { reason: 'the wrong release' }, { Prefer: 'wait=20' });
  await api.remove(`/instances/${archived.id}`);
  await expectStatus(api, failed.instance, 'failed');
  await expectStatus(api, stopped.instance, 'stopped');
  return {
    api,
    ...first,
    building: building.instance,
    failed: failed.instance,
    stopped: stopped.instance,
    held,
    archived,
    vacant,
    pullRequest: await pullRequests(api, program, github),
  };
}

async function serve(api: Api): Promise<{ serving: Instance; newer: AppServer }> {
  const serving = await api.create('Astronomy Academy', 'astronomy', { configuration_extra_settings: 'EDXAPP_LIMIT: 5\n' });
  await api.activate((await api.build(serving.id)).id);
  await api.activate((await api.build(serving.id)).id, { reason: 'the release of Thursday' });
  await api.change(serving.id, { email: 'stars@campus.example', configuration_extra_settings: 'EDXAPP_LIMIT: 6\n' });
  return { serving, newer: await api.build(serving.id) };
}

async function hold(api: Api): Promise<Instance> {
  const instance = await api.create('Ethics Academy', 'ethics');
  await api.activate((await api.build(instance.id)).id);
  await api.activate((await api.build(instance.id)).id);
  await api.post(`/instances/${instance.id}/rollback`, { reason: 'the exams are gone' }, { Prefer: 'wait=20' });
  return instance;
}

async function build(api: Api, name: string, subDomain: string, settings: object) {
  const instance = await api.create(name, subDomain, settings);
  return { instance, server: await api.launch(instance.id) };
}

/** Two pull requests: one with its instance, and one that waits for an approval. */
async function pullRequests(api: Api, program: Program, github: Github): Promise<Instance> {
  const body = ['It was asked for.', '', '**Settings**', '```yaml', 'EDXAPP_LIMIT: 7', '```', ''].join('\n');
  const open = async (number: number, author: string, branch: string, title: string) => {
    await github.order('open_pull', { repository: REPOSITORY, pull: { author, branch, title, body } });
    await github.deliver(program, REPOSITORY, number, 'opened');
  };
  await open(1, 'ada', 'grades', 'Show the grade beside the name');
  await open(2, 'mallory', 'lightbulbs', 'Change the lightbulbs');
  const watched = async () => (await api.get<{ items: { instance: Instance | null }[] }>('/pull-requests')).items;
  await expect.poll(async () => (await watched()).length).toBe(2);
  const made = async () => (await watched()).find((one) => one.instance !== null)?.instance;
  await expect.poll(made).toBeDefined();
  const instance = (await made()) as Instance;
  // Once it serves, nothing changes by itself any more.
  const serves = async () => (await api.get<Instance>(`/instances/${instance.id}`)).active_appserver;
  await expect.poll(serves, { timeout: 60_000 }).not.toBeNull();
  return instance;
}

async function expectStatus(api: Api, instance: Instance, status: string): Promise<void> {
  const now = async () => (await api.get<Instance>(`/instances/${instance.id}`)).newest_appserver?.status;
  await expect.poll(now, { timeout: 30_000 }).toBe(status);
}
