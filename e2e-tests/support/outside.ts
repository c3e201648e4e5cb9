// Instances with databases outside their machines: a real PostgreSQL server, and a place for backups.
import { writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyPair } from './age.ts';
import type { Api, Instance } from './api.ts';
import { type Login, Postgres } from './postgres.ts';
import type { Program } from './program.ts';
import { FAKE_MACHINES, test as base } from './story.ts';

/** How long a backup of a small database, or its restore, may take. */
export const WORKED = { timeout: 60_000 };

export const test = base.extend<{ hasIdentity: boolean; postgres: Postgres }>({
  /** Whether the program has the key that decrypts backups. */
  hasIdentity: [true, { option: true }],
  postgres: async ({}, use) => {
    const postgres = await Postgres.start();
    await use(postgres);
    await postgres.stop();
  },
  settings: async ({ hasIdentity, postgres }, use) => {
    const directory = await mkdtemp(join(tmpdir(), 'ocim-backups-'));
    const path = (name: string) => join(directory, name);
    const { recipient, identity } = keyPair();
    const secret = { mode: 0o600 };
    writeFileSync(path('ocim.toml'), postgres.table, secret);
    writeFileSync(path('identity'), `${identity}\n`, secret);
    await mkdir(path('backups'), { mode: 0o700 });
    await use({
      ...FAKE_MACHINES,
      OCIM_CONFIG: path('ocim.toml'),
      OCIM_BACKUP_DIR: path('backups'),
      OCIM_BACKUP_RECIPIENTS: recipient,
      ...(hasIdentity ? { OCIM_BACKUP_IDENTITY_FILE: path('identity') } : {}),
    });
    await rm(directory, { recursive: true, force: true });
  },
});

/** The settings of a site with a database at the server of the settings; its playbook is one that the program itself writes. */
export function site(program: Program, name: string, hostname: string) {
  return {
    name,
    instance_type: 'site',
    hostnames: [hostname],
    playbooks: [playbook(program, 'master')],
    resources: [{ kind: 'postgresql', name: 'main' }],
  };
}

/** The site's playbook in a version of its repository. */
export function playbook(program: Program, version: string) {
  return { repository: join(program.dataDirectory, 'examples', 'wagtail'), version };
}

/** How the instance's app servers log in to its database. */
export async function loginOf(api: Api, instance: Instance): Promise<Login> {
  interface Credentials {
    username: string;
    password: string;
    databases: Record<string, string>;
  }
  const path = `/instances/${instance.id}/resources/postgresql/credentials`;
  const { username, password, databases } = await api.post<Credentials>(path);
  return { username, password, database: databases['main'] ?? '' };
}
