// The program's own Postgres, through psql: for data that the API cannot create.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Program } from './program.ts';

export class Database {
  private readonly environment: NodeJS.ProcessEnv;

  constructor(program: Program) {
    const read = (name: string) => readFileSync(join(program.dataDirectory, 'postgres', name), 'utf8').trim();
    this.environment = {
      PATH: process.env['PATH'],
      PGHOST: '127.0.0.1',
      PGPORT: read('port'),
      PGUSER: 'ocim',
      PGDATABASE: 'ocim',
      PGPASSWORD: read('password'),
    };
  }

  /** Runs SQL and returns its output. Fails at the first statement that fails. */
  run(sql: string): string {
    const { status, stdout, stderr } = spawnSync('psql', OPTIONS, { env: this.environment, input: sql, encoding: 'utf8' });
    if (status !== 0) throw new Error(`psql: ${stderr}`);
    return stdout.trim();
  }

  /** Starts SQL that runs for a long time. */
  start(sql: string): Running {
    const child = spawn('psql', OPTIONS, { env: this.environment, stdio: ['pipe', 'ignore', 'pipe'] });
    child.stdin.end(sql);
    return new Running(child);
  }
}

const OPTIONS = ['--no-psqlrc', '--quiet', '--tuples-only', '--no-align', '--set=ON_ERROR_STOP=1'];

/** Running SQL. */
export class Running {
  private errors = '';

  constructor(private readonly child: ChildProcess) {
    child.stderr?.on('data', (text: Buffer) => (this.errors += text.toString()));
  }

  /** Ends the SQL; fails if it had already ended. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null) throw new Error(`psql ended by itself: ${this.errors}`);
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }
}
