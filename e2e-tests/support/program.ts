// The built program, on its own data directory and ports. The cache of downloads and builds (OCIM_CACHE_DIR) is shared with
// other runs on this machine; all else is deleted with the story.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from '@playwright/test';

const READY_WITHIN_MS = 120_000;
const STOPPED_WITHIN_MS = 60_000;
const PASSWORD = 'correct horse battery staple';
// A developer's own settings could change the story, or reach a cloud.
const FOREIGN_SETTINGS = /^(OCIM_|OPENSTACK_|OS_|GANDI_|GITHUB_|WATCH_|DEFAULT_|INSTANCES?_|SWIFT_|DATABASE_URL$)/;

/** Environment variables. */
export type Settings = Record<string, string>;

export class Program {
  readonly username = 'admin';
  readonly password = PASSWORD;

  private constructor(
    private readonly directory: string,
    private readonly port: number,
    readonly gatewayPort: number,
    private readonly settings: Settings,
    private child: ChildProcess,
  ) {}

  /** Starts it with additional settings: environment variables. */
  static async start(settings: Settings = {}): Promise<Program> {
    const binary = newestBinary();
    const directory = await mkdtemp(join(tmpdir(), 'ocim-story-'));
    // Postgres does not run as root, and needs access to its data.
    await chmod(directory, 0o755);
    const [port, gatewayPort] = await freePorts();
    const child = launch(binary, directory, port, gatewayPort, settings);
    const program = new Program(directory, port, gatewayPort, settings, child);
    try {
      await program.waitUntilReady();
    } catch (error) {
      const log = program.lastLines();
      await program.end();
      await program.removeDirectory();
      throw new Error(`the program did not become ready; its last lines:\n${log}`, { cause: error });
    }
    return program;
  }

  /** Ends the program, to be resumed. */
  async halt(): Promise<void> {
    await this.end();
  }

  /** Starts it again, on the same ports and data directory. */
  async resume(): Promise<void> {
    this.child = launch(newestBinary(), this.directory, this.port, this.gatewayPort, this.settings);
    await this.waitUntilReady();
  }

  get url(): string {
    return `http://localhost:${this.port}`;
  }

  get dataDirectory(): string {
    return dataDirectory(this.directory);
  }

  get logPath(): string {
    return logPath(this.directory);
  }

  /** Ends the program and everything it started, and removes its directory. Fails if it had ended by itself, or does not end. */
  async stop(): Promise<void> {
    if (this.hasEnded()) throw new Error(`the program ended by itself:\n${this.lastLines()}`);
    await this.end();
    if (this.child.signalCode === 'SIGKILL') {
      throw new Error(`the program did not end within ${STOPPED_WITHIN_MS / 1000} s of SIGTERM:\n${this.lastLines()}`);
    }
    await this.removeDirectory();
  }

  private async end(): Promise<void> {
    if (this.hasEnded()) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOPPED_WITHIN_MS);
    await ended;
    clearTimeout(timer);
  }

  private async waitUntilReady(): Promise<void> {
    const ready = async () => {
      if (this.hasEnded()) throw new Error(`it ended with ${this.child.exitCode ?? this.child.signalCode}`);
      return fetch(`http://127.0.0.1:${this.port}/readyz`).then(
        (answer) => answer.status,
        () => 'no answer yet',
      );
    };
    await expect.poll(ready, { message: '/readyz answers 200', timeout: READY_WITHIN_MS, intervals: [100] }).toBe(200);
  }

  private hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  private lastLines(): string {
    return readFileSync(this.logPath, 'utf8').split('\n').slice(-20).join('\n');
  }

  private async removeDirectory(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}

function launch(
  binary: string,
  directory: string,
  port: number,
  gatewayPort: number,
  settings: Settings,
): ChildProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !FOREIGN_SETTINGS.test(name) || name === 'OCIM_CACHE_DIR');
  const log = openSync(logPath(directory), 'a');
  try {
    return spawn(binary, ['server'], {
      env: {
        ...Object.fromEntries(inherited),
        ...settings,
        OCIM_LISTEN: `127.0.0.1:${port}`,
        OCIM_GATEWAY_LISTEN: `127.0.0.1:${gatewayPort}`,
        OCIM_DATA_DIR: dataDirectory(directory),
        OCIM_ADMIN_PASSWORD: PASSWORD,
      },
      stdio: ['ignore', log, log],
      // A Ctrl-C at the tests' terminal reaches the program as our SIGTERM, once.
      detached: true,
    });
  } finally {
    closeSync(log);
  }
}

function dataDirectory(directory: string): string {
  return join(directory, 'data');
}

function logPath(directory: string): string {
  return join(directory, 'log');
}

/** The program that `make build` built last, of any profile. */
function newestBinary(): string {
  const root = resolve(import.meta.dirname, '../..');
  const built = ['target/release/ocim', 'target/debug/ocim'].map((path) => join(root, path)).filter(existsSync);
  const [newest] = built.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  if (newest === undefined) throw new Error('there is no built program: run `make build` first');
  return newest;
}

/** Two free ports: both are held until both are known, so they differ. */
async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()] as const;
  const port = async (server: (typeof servers)[number]) => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const ports: [number, number] = [await port(servers[0]), await port(servers[1])];
  for (const server of servers) {
    server.close();
    await once(server, 'close');
  }
  return ports;
}
