// A PostgreSQL server for what instances have outside their machines: on a free port of loopback, deleted with the story.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@playwright/test';

const ADMINISTRATOR = 'root_of_data';
const PASSWORD = 'seven-otters';

export interface Login {
  username: string;
  password: string;
  database: string;
}

export class Postgres {
  private constructor(
    private readonly directory: string,
    readonly port: number,
    private readonly child: ChildProcess,
  ) {}

  static async start(): Promise<Postgres> {
    const directory = await mkdtemp(join(tmpdir(), 'ocim-postgres-'));
    const account = serverAccount();
    const passwordFile = join(directory, 'password');
    writeFileSync(passwordFile, PASSWORD);
    if (account !== undefined) for (const path of [directory, passwordFile]) chownSync(path, account.uid, account.gid);
    const data = join(directory, 'data');
    const options = [`--pgdata=${data}`, `--username=${ADMINISTRATOR}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--no-sync'];
    execFileSync(binary('initdb'), options, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'], ...account });
    const port = await freePort();
    const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off'].flatMap((setting) => ['-c', setting]);
    const child = spawn(binary('postgres'), ['-D', data, '-p', String(port), ...settings], { cwd: directory, stdio: 'ignore', ...account });
    const postgres = new Postgres(directory, port, child);
    const answers = () => postgres.psql(postgres.administrator(), 'SELECT 1').status;
    await expect.poll(answers, { message: 'PostgreSQL answers', timeout: 30_000, intervals: [100] }).toBe(0);
    return postgres;
  }

  /** The table of the settings file. */
  get table(): string {
    return `[resources.main]\nkind = "postgresql"\nurl = "postgresql://${ADMINISTRATOR}:${PASSWORD}@127.0.0.1:${this.port}/postgres"\n`;
  }

  /** Runs SQL and returns its output. Fails at the first statement that fails. */
  run(login: Login, sql: string): string {
    const { status, stdout, stderr } = this.psql(login, sql);
    if (status !== 0) throw new Error(`psql: ${stderr}`);
    return stdout.trim();
  }

  async stop(): Promise<void> {
    const ended = once(this.child, 'exit');
    // Ends without waiting for connections.
    if (this.child.kill('SIGINT')) await ended;
    await rm(this.directory, { recursive: true, force: true });
  }

  private administrator(): Login {
    return { username: ADMINISTRATOR, password: PASSWORD, database: 'postgres' };
  }

  private psql(login: Login, sql: string) {
    const environment = {
      PATH: process.env['PATH'],
      PGHOST: '127.0.0.1',
      PGPORT: String(this.port),
      PGUSER: login.username,
      PGDATABASE: login.database,
      PGPASSWORD: login.password,
    };
    const options = ['--no-psqlrc', '--quiet', '--tuples-only', '--no-align', '--set=ON_ERROR_STOP=1'];
    return spawnSync('psql', options, { env: environment, input: sql, encoding: 'utf8' });
  }
}

/** The account that the server runs as, since PostgreSQL does not run as root; undefined: that of the tests. */
function serverAccount(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (option: string) => Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** The program in PG_BINDIR, or of the newest version that is installed. */
function binary(name: string): string {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const directories = [process.env['PG_BINDIR'], ...versions.map((version) => join(root, version, 'bin'))];
  const found = directories.find((directory) => directory !== undefined && existsSync(join(directory, name)));
  if (found === undefined) throw new Error(`PostgreSQL's program ${name} is missing: apt-get install postgresql`);
  return join(found, name);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
